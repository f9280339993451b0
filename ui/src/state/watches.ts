import type { Patch } from "../bindings/Patch";
import type { Query } from "../bindings/Query";
import type { Update } from "../bindings/Update";
import type { Platform } from "../platform";

/** Applies a patch; `snapshot` replaces what was there. Answers whether it fitted. */
export type Apply = (patch: Patch, snapshot: boolean) => boolean;

/** A snapshot that takes longer than this was lost, or the host never saw that the query had been left. */
export const SNAPSHOT_MS = 1_000;

interface Slot {
  query: Query;
  apply: Apply;
  /** Revision of the last update applied; 0 while the snapshot is awaited. */
  revision: number;
  /** The host must forget this query once, so that it begins again with a snapshot. */
  renew: boolean;
  overdue: ReturnType<typeof setTimeout> | undefined;
}

/**
 * The set of queries that this window watches, and the one road on which their updates come.
 *
 *   join -> [awaiting snapshot] -- revision 1 --> [following] -- next revision --> [following]
 *                 ^                                   |
 *              |  ^                                   |
 *              +--+--- left and joined again <--------+ any other revision, or a patch that doesn't fit
 *        none in time
 */
export class Watches {
  #platform: Platform;
  #slots = new Map<string, Slot>();
  #sent = new Set<string>();
  #syncing = false;
  #changed = false;

  constructor(platform: Platform) {
    this.#platform = platform;
  }

  /** Watches `query` until the answer is called. */
  join(query: Query, apply: Apply): () => void {
    const key = keyOf(query);
    // A query that the host still has would go on without a new snapshot.
    const slot: Slot = { query, apply, revision: 0, renew: this.#sent.has(key), overdue: undefined };
    this.#slots.set(key, slot);
    this.#sync();
    return () => {
      clearTimeout(slot.overdue);
      if (this.#slots.get(key) !== slot) return;
      this.#slots.delete(key);
      this.#sync();
    };
  }

  #receive = (update: Update) => {
    const slot = this.#slots.get(keyOf(update.query));
    if (!slot) return;
    const snapshot = update.revision === 1;
    // Before its snapshot, a query hears the rest of an earlier watch.
    if (!snapshot && slot.revision === 0) return;
    const next = snapshot || update.revision === slot.revision + 1;
    if (next && slot.apply(update.patch, snapshot)) {
      slot.revision = update.revision;
      slot.renew = false;
      clearTimeout(slot.overdue);
    } else {
      this.#renew(slot);
    }
  };

  #renew(slot: Slot) {
    slot.revision = 0;
    slot.renew = true;
    this.#sync();
  }

  /** Calls are made one after the other: two at once could arrive the wrong way round. */
  #sync() {
    this.#changed = true;
    if (this.#syncing) return;
    this.#syncing = true;
    queueMicrotask(async () => {
      try {
        while (this.#changed) {
          this.#changed = false;
          await this.#send();
        }
      } finally {
        this.#syncing = false;
      }
    });
  }

  async #send() {
    const left = [...this.#slots.values()].filter((slot) => slot.renew);
    const kept = [...this.#slots.values()].filter((slot) => !slot.renew);
    this.#sent = new Set(kept.map((slot) => keyOf(slot.query)));
    await this.#platform.watch(
      kept.map((slot) => slot.query),
      this.#receive,
    );
    for (const slot of kept) this.#expect(slot);
    for (const slot of left) {
      slot.renew = false;
      this.#changed = true;
    }
  }

  #expect(slot: Slot) {
    clearTimeout(slot.overdue);
    if (slot.revision > 0 || this.#slots.get(keyOf(slot.query)) !== slot) return;
    slot.overdue = setTimeout(() => this.#renew(slot), SNAPSHOT_MS);
  }
}

function keyOf(query: Query): string {
  switch (query.query) {
    case "conversation":
      return `${query.query} ${query.id} ${query.newest}`;
    case "passage":
      return `${query.query} ${query.id} ${query.at} ${query.from} ${query.to}`;
    case "search":
      return `${query.query} ${query.text}`;
    default:
      return query.query;
  }
}
