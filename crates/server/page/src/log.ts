import type { Entry } from "./wire";

/** Most entries that one `entries` request may ask for. */
export const PAGE = 200;

/** A range of `seq`, both ends included. */
export interface Range {
  from: number;
  to: number;
}

/**
 * What the page knows of the conversation: one contiguous range of it.
 *
 *     1 ......... lo ============ hi ......... head
 *       older()       known            missing()
 *
 * Patients don't see every entry, so the range is of numbers that were asked for or told to be invisible, not of
 * entries. Within it everything that this patient may see is here, once, by its number.
 */
export class Log {
  #entries = new Map<number, Entry>();
  #lo = 1;
  #hi = 0;
  #head = 0;

  /** All known entries in their order. */
  entries(): Entry[] {
    return [...this.#entries.values()].sort((a, b) => a.seq - b.seq);
  }

  /** The newest entry's `seq`, 0 without any. */
  newest(): number {
    return Math.max(0, ...this.#entries.keys());
  }

  /** The server says that the conversation goes up to here. */
  head(head: number): void {
    this.#head = Math.max(this.#head, head);
  }

  /** Whether the newest entries are here. */
  complete(): boolean {
    return this.#hi >= this.#head;
  }

  /** The next range to fetch until all up to the head is known: the newest page first, then forwards from there. */
  missing(): Range | null {
    if (this.complete()) return null;
    if (this.#hi === 0) return { from: Math.max(1, this.#head - PAGE + 1), to: this.#head };
    return { from: this.#hi + 1, to: Math.min(this.#head, this.#hi + PAGE) };
  }

  /** The page before what is known. */
  older(): Range | null {
    if (this.#hi === 0 || this.#lo === 1) return null;
    return { from: Math.max(1, this.#lo - PAGE), to: this.#lo - 1 };
  }

  /**
   * Takes an entry that came live. False when something before it is missing: then it is left out, and `missing`
   * names the range that brings it.
   */
  live(entry: Entry): boolean {
    const before = entry.prev ?? entry.seq - 1;
    if (entry.seq > this.#hi) {
      this.#head = Math.max(this.#head, entry.seq);
      if (before > this.#hi) return false;
      this.#hi = entry.seq;
    }
    if (entry.seq >= this.#lo) this.#entries.set(entry.seq, entry);
    return true;
  }

  /** Takes the answer to a request. One that doesn't touch what is known by now is left out. */
  range({ from, to }: Range, entries: Entry[]): void {
    if (this.#hi === 0) {
      this.#lo = from;
      this.#hi = to;
    } else {
      if (from > this.#hi + 1 || to < this.#lo - 1) return;
      this.#lo = Math.min(this.#lo, from);
      this.#hi = Math.max(this.#hi, to);
    }
    for (const entry of entries) this.#entries.set(entry.seq, entry);
  }

  /** Starts anew. */
  forget(): void {
    this.#entries.clear();
    this.#lo = 1;
    this.#hi = 0;
    this.#head = 0;
  }
}
