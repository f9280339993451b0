import { RETRY, type Code } from "./wire";

/** How long the server may take to answer a `send` on a living connection before it is sent again, same id. */
const ANSWER_MS = 10_000;
/** When the server names no time to come again. */
const LATER_MS = 2_000;

/** Why a file's bytes didn't arrive. `gone`: the page was left meanwhile, and had them in its memory alone. */
export type Fault = "network" | "busy" | "denied" | "too_large" | "gone";

/** How far a message is. "Sent" is none of these: then there is an entry. */
export type Progress =
  | { is: "uploading" }
  | { is: "failed"; why: Fault }
  | { is: "waiting" }
  | { is: "sending"; since: number }
  | { is: "refused"; code: Code };

/** A file that is or was to be attached; without `sha256` its bytes have not arrived. */
export interface Attached {
  readonly name: string;
  readonly media_type: string;
  readonly bytes: number;
  readonly sha256: string | null;
}

/** A message of one's own that the log doesn't hold. */
export interface Outgoing {
  readonly id: string;
  readonly text: string;
  /** Instead of a text. */
  readonly file?: Attached;
  /** When it was written. */
  readonly at: number;
  /** The newest `seq` in view when it was written. */
  readonly seen: number;
  /** Sent although something newer had come. */
  readonly force: boolean;
  readonly progress: Progress;
}

/**
 * One's own messages until the server has committed them. One at a time is under way, so that they arrive in the
 * order in which they were written, whatever is refused for now. A file takes its place once its bytes have arrived: no
 * text waits for an upload.
 *
 *     attach ──▶ uploading ──uploaded──▶ waiting
 *                 ▲     └── failed ──drop──▶ (gone)
 *                 └─ again ─┘
 *
 *     write ──▶ waiting ──next──▶ sending ──settled──▶ (an entry)
 *                ▲   ▲               │ │
 *                │   └─ lost, later ─┘ └─ never, after_reading ─▶ refused ──drop──▶ (gone)
 *                └──────────────────── again ─────────────────────┘
 */
export class Outbox {
  #items: Outgoing[];
  /** The server asked to be left alone until then. */
  #notBefore = 0;

  /** What was under way when the page was left may or may not have arrived: it waits, to be sent with its old id. */
  constructor(items: readonly Outgoing[]) {
    this.#items = [...items];
    this.lost();
    for (const { id, file } of this.#items) {
      if (file?.sha256 === null) this.failed(id, "gone");
    }
  }

  items(): readonly Outgoing[] {
    return this.#items;
  }

  /** How many will still go out by themselves. */
  unsent(): number {
    return this.#items.filter(({ progress }) => progress.is !== "refused" && progress.is !== "failed").length;
  }

  write(item: Omit<Outgoing, "progress" | "force">): void {
    this.#items.push({ ...item, force: false, progress: { is: "waiting" } });
  }

  attach(item: Omit<Outgoing, "progress" | "force" | "text">): void {
    this.#items.push({ ...item, text: "", force: false, progress: { is: "uploading" } });
  }

  /** The file to upload now, if any. */
  nextUpload(): Outgoing | null {
    return this.#items.find((item) => item.progress.is === "uploading") ?? null;
  }

  /** The bytes have arrived: its message may go out. */
  uploaded(id: string, sha256: string): void {
    const file = this.#items.find((item) => item.id === id)?.file;
    if (file) this.#set(id, { file: { ...file, sha256 }, progress: { is: "waiting" } });
  }

  failed(id: string, why: Fault): void {
    this.#set(id, { progress: { is: "failed", why } });
  }

  /** Uploads a file again, whatever became of it. */
  uploadAgain(id: string): void {
    this.#set(id, { progress: { is: "uploading" } });
  }

  /** The message to hand over now, if any; from now on it is under way. */
  next(now: number): Outgoing | null {
    const first = this.#items.find(({ progress }) => progress.is === "waiting" || progress.is === "sending");
    if (!first || now < this.#notBefore) return null;
    if (first.progress.is === "sending" && now < first.progress.since + ANSWER_MS) return null;
    return this.#set(first.id, { progress: { is: "sending", since: now } });
  }

  /** The log holds it. */
  settled(id: string): void {
    this.drop(id);
  }

  /** The server said no. Without an `id` it could not even read it: then it was the one under way. */
  rejected(id: string | undefined, code: Code, retryAfter: number | undefined, now: number): void {
    id ??= this.#items.find((item) => item.progress.is === "sending")?.id;
    if (!id) return;
    if (RETRY[code] === "later") {
      this.#notBefore = now + (retryAfter ?? LATER_MS);
      this.#set(id, { progress: { is: "waiting" } });
    } else {
      this.#set(id, { progress: { is: "refused", code } });
    }
  }

  /** The connection is gone, and with it what was known of the message under way. */
  lost(): void {
    this.#notBefore = 0;
    for (const { id, progress } of this.#items) {
      if (progress.is === "sending") this.#set(id, { progress: { is: "waiting" } });
    }
  }

  /** Sends a refused message again, knowingly. */
  again(id: string, seen: number): void {
    this.#set(id, { seen, force: true, progress: { is: "waiting" } });
  }

  drop(id: string): void {
    this.#items = this.#items.filter((item) => item.id !== id);
  }

  #set(id: string, change: Partial<Outgoing>): Outgoing | null {
    const index = this.#items.findIndex((item) => item.id === id);
    const item = this.#items[index];
    if (!item) return null;
    return (this.#items[index] = { ...item, ...change });
  }
}
