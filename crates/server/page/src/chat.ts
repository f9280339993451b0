import type { Kept } from "./kept";
import { Log, type Range } from "./log";
import { Outbox, type Fault } from "./outbox";
import { uuidv7 } from "./uuid";
import { RETRY } from "./wire";
import type {
  ChangesAnswer,
  ClientFrame,
  Code,
  Conversation,
  ConversationFrame,
  EntriesAnswer,
  Entry,
  EntryFrame,
  Heartbeat,
  Receipt,
  Rejected,
  TypingFrame,
  Welcome,
} from "./wire";

/** How long an answer to `changes` or `entries` may take before it is asked for again. */
const ANSWER_MS = 10_000;
/** `typing` goes out at most this often. */
const TYPING_MS = 3_000;
/** No "is writing" stands longer than this after its frame, whatever the clocks say. */
const TYPING_MAX_MS = 10_000;

/** What the chat needs of the world around it. */
export interface Ports {
  emit(frame: ClientFrame): void;
  keep(kept: Kept): void;
  /** Milliseconds since 1970. */
  now(): number;
  random(count: number): Uint8Array;
  /** Uploads bytes; gives their SHA-256 once the server has them, or why it hasn't. */
  upload(
    bytes: Blob,
    sent: (bytes: number) => void,
    stop: AbortSignal,
  ): Promise<{ sha256: string } | { fault: Fault }>;
  /** Something changed without a call. */
  changed(): void;
}

/** Longest name of a file that the server takes, in characters. */
const NAME_CHARS = 255;

/** Who is writing. */
export interface Writer {
  id: string;
  name: string;
  until: number;
}

/**
 * The patient's conversation without screen, network or clock: frames and commands in, frames out. Whoever calls it
 * shows it anew after each call.
 */
export class Chat {
  readonly log = new Log();
  outbox: Outbox;
  /** How far a provider has read. */
  readByThem = 0;
  writer: Writer | null = null;
  #kept: Kept;
  #live = false;
  #welcome: Welcome | null = null;
  /** All changes up to here are told. */
  #rev = 0;
  /** Whether this connection has told where the conversation stands: before that nothing is sent. */
  #told = false;
  /** When `changes` is asked for again, for want of an answer; null while none is awaited. */
  #changesAt: number | null = null;
  #asked: { range: Range; again: number } | null = null;
  #wantsOlder = false;
  /** The bytes of files that are in the outbox. They are in the page's memory alone: see `Kept`. */
  readonly #bytes = new Map<string, Blob>();
  #upload: { id: string; sent: number; stop: AbortController } | null = null;
  #readByMe = 0;
  #typedAt = 0;
  /** The server's clock less this one. */
  #ahead = 0;

  constructor(
    private readonly ports: Ports,
    kept: Kept,
  ) {
    this.#kept = kept;
    this.outbox = new Outbox(kept.outbox);
  }

  /**
   * Whether it is certain whose conversation this is, and which. Only then may anything that was kept be shown, and
   * anything be written.
   */
  ready(): boolean {
    return this.#kept.confirmed && this.#kept.conversation !== null;
  }

  draft(): string {
    return this.#kept.draft;
  }

  /** Whether what is known now has been shown to the end of the log. */
  caughtUp(): boolean {
    return this.#live && this.#told && this.log.complete();
  }

  // ---- commands

  /** Writes a message: kept first, then handed over. What it returns is why not; nothing is lost then. */
  write(text: string): Code | null {
    if (!text.trim()) return "invalid";
    const limit = this.#welcome?.limits.text_bytes ?? Infinity;
    if (new TextEncoder().encode(text).length > limit) return "too_large";
    const at = this.ports.now();
    const id = uuidv7(at, this.ports.random(10));
    this.outbox.write({ id, text, at, seen: this.log.newest() });
    this.#keep({ draft: "" });
    this.#send();
    return null;
  }

  /** Largest file that the server takes; null if it takes none, or nothing is known of it yet. */
  fileBytes(): number | null {
    return this.#welcome?.limits.file_bytes ?? null;
  }

  /** Attaches a file: its bytes go up first, then its message goes out. What it returns is why not. */
  attach(name: string, type: string, bytes: Blob): Code | null {
    const most = this.fileBytes();
    if (most === null) return "forbidden";
    if (bytes.size > most) return "too_large";
    const at = this.ports.now();
    const id = uuidv7(at, this.ports.random(10));
    const file = {
      name: [...(name || "file")].slice(0, NAME_CHARS).join(""),
      media_type: type || "application/octet-stream",
      bytes: bytes.size,
      sha256: null,
    };
    this.#bytes.set(id, bytes);
    this.outbox.attach({ id, file, at, seen: this.log.newest() });
    this.#keep();
    this.#uploadNext();
    return null;
  }

  /** How much of a file has gone up, from 0 to 1. */
  uploaded(id: string): number {
    const bytes = this.#bytes.get(id)?.size;
    return this.#upload?.id === id && bytes ? Math.min(1, this.#upload.sent / bytes) : 0;
  }

  /** Whether the bytes of a file are here, so that it can be uploaded again. */
  has(id: string): boolean {
    return this.#bytes.has(id);
  }

  /** Sends a refused message or uploads a failed file again, knowingly. */
  again(id: string): void {
    if (this.#bytes.has(id)) this.outbox.uploadAgain(id);
    else this.outbox.again(id, this.log.newest());
    this.#keep();
    this.#uploadNext();
    this.#send();
  }

  /** Throws away a refused message, or a file. */
  discard(id: string): void {
    this.#forget(id);
    this.outbox.drop(id);
    this.#keep();
    this.#send();
  }

  /** Keeps what is typed. */
  typed(text: string): void {
    this.#keep({ draft: text });
    const now = this.ports.now();
    const { conversation } = this.#kept;
    if (!this.#live || !conversation || !text || now < this.#typedAt + TYPING_MS) return;
    this.#typedAt = now;
    this.ports.emit({ event: "typing", data: { conversation } });
  }

  /** All up to the newest entry is in view. */
  inView(): void {
    const { conversation } = this.#kept;
    const upto = this.log.newest();
    if (!this.#live || !conversation || upto <= this.#readByMe) return;
    this.#readByMe = upto;
    this.ports.emit({ event: "read", data: { conversation, upto } });
  }

  /** Fetches the page before the oldest entry. */
  earlier(): void {
    this.#wantsOlder = true;
    this.#fetch();
  }

  /** Time passes: what is overdue is asked for again. */
  tick(): void {
    const now = this.ports.now();
    if (this.writer && now >= this.writer.until) this.writer = null;
    if (!this.#live) return;
    if (this.#changesAt !== null && now >= this.#changesAt) this.#changes();
    if (this.#asked && now >= this.#asked.again) this.#asked = null;
    this.#fetch();
    this.#uploadNext();
    this.#send();
  }

  // ---- the connection

  /** Accepted. What another person left in this tab is forgotten: it must not go out in this one's name. */
  welcome(frame: Welcome): void {
    const { owner } = this.#kept;
    if (owner !== null && owner !== frame.me.id) {
      this.outbox.items().forEach(({ id }) => this.#forget(id));
      this.outbox = new Outbox([]);
      this.log.forget();
      this.#keep({ draft: "", conversation: null });
    }
    // The clinic's counter never goes back: this is another log than the one known here.
    if (frame.rev < this.#rev) this.log.forget();
    this.#welcome = frame;
    this.#ahead = frame.now - this.ports.now();
    this.#live = true;
    this.#told = false;
    this.#readByMe = 0;
    for (const { id, progress } of this.outbox.items()) {
      if (progress.is === "failed" && progress.why === "network") this.outbox.uploadAgain(id);
    }
    this.#keep({ owner: frame.me.id, confirmed: true });
    // From the start each time: a patient has one conversation, and its whole summary heals whatever was missed.
    this.#rev = 0;
    this.#changes();
  }

  /** The connection is gone. */
  lost(): void {
    this.#live = false;
    this.#asked = null;
    this.#changesAt = null;
    this.writer = null;
    this.outbox.lost();
    this.#keep();
  }

  // ---- the server's frames

  heartbeat({ rev }: Heartbeat): void {
    if (rev > this.#rev && this.#changesAt === null) this.#changes();
  }

  changes({ rev, more, conversations }: ChangesAnswer): void {
    this.#rev = Math.max(this.#rev, rev);
    this.#changesAt = null;
    this.#told = true;
    const own = conversations.at(-1);
    if (own) {
      // The server names it; nothing else may.
      if (this.#kept.conversation !== own.id) {
        this.log.forget();
        this.#keep({ conversation: own.id });
      }
      this.#summary(own);
    }
    if (more) this.#changes();
    this.#fetch();
    this.#uploadNext();
    this.#send();
  }

  conversation({ conversation }: ConversationFrame): void {
    if (conversation.id !== this.#kept.conversation) return;
    this.#summary(conversation);
    this.#fetch();
  }

  entry({ entry, conversation }: EntryFrame): void {
    if (entry.conversation !== this.#kept.conversation) return;
    if (this.log.live(entry)) this.#arrived([entry]);
    this.#summary(conversation);
    this.#fetch();
    this.#send();
  }

  entries({ conversation, from, to, entries }: EntriesAnswer): void {
    if (conversation !== this.#kept.conversation) return;
    if (this.#asked?.range.from === from && this.#asked.range.to === to) this.#asked = null;
    // An older page of nothing but what patients don't see: go on to the one before it.
    if (this.log.older()?.to === to && entries.length > 0) this.#wantsOlder = false;
    this.log.range({ from, to }, entries);
    this.#arrived(entries);
    this.#fetch();
    this.#send();
  }

  receipt({ conversation, upto }: Receipt): void {
    if (conversation === this.#kept.conversation) this.readByThem = Math.max(this.readByThem, upto);
  }

  typing({ conversation, who, until }: TypingFrame): void {
    if (conversation !== this.#kept.conversation || who.id === this.#kept.owner) return;
    const now = this.ports.now();
    this.writer = { id: who.id, name: who.name, until: Math.min(until - this.#ahead, now + TYPING_MAX_MS) };
  }

  rejected({ of, id, code, retry_after_ms }: Rejected): void {
    const now = this.ports.now();
    const again = RETRY[code] === "later" ? now + (retry_after_ms ?? ANSWER_MS) : Infinity;
    if (of === "send") {
      this.outbox.rejected(id, code, retry_after_ms, now);
      this.#keep();
      this.#send();
    } else if (of === "entries" && this.#asked) {
      this.#asked = { ...this.#asked, again };
    } else if (of === "changes" && this.#changesAt !== null) {
      this.#changesAt = again;
    } else if (of === "read") {
      // Asked for again by the next look.
      this.#readByMe = 0;
    }
  }

  // ---- inside

  #summary({ id, head, rev, read }: Conversation): void {
    if (id !== this.#kept.conversation) return;
    this.#rev = Math.max(this.#rev, rev);
    this.log.head(head);
    for (const [reader, upto] of Object.entries(read)) {
      if (reader === this.#kept.owner) this.#readByMe = Math.max(this.#readByMe, upto);
      else this.readByThem = Math.max(this.readByThem, upto);
    }
  }

  #arrived(entries: Entry[]): void {
    for (const { id, author } of entries) {
      this.outbox.settled(id);
      this.#forget(id);
      if (author.id === this.writer?.id) this.writer = null;
    }
    this.#keep();
  }

  #changes(): void {
    this.#changesAt = this.ports.now() + ANSWER_MS;
    this.ports.emit({ event: "changes", data: { since: this.#rev } });
  }

  /** One range at a time: what is missing at the end first, then what was asked for at the start. */
  #fetch(): void {
    const { conversation } = this.#kept;
    if (!this.#live || this.#asked || !conversation) return;
    let range = this.log.missing();
    if (!range && this.#wantsOlder) {
      range = this.log.older();
      this.#wantsOlder = range !== null;
    }
    if (!range) return;
    this.#asked = { range, again: this.ports.now() + ANSWER_MS };
    this.ports.emit({ event: "entries", data: { conversation, ...range } });
  }

  /** One file at a time: what is half there helps nobody. */
  #uploadNext(): void {
    if (!this.#live || !this.#told || this.#upload) return;
    const item = this.outbox.nextUpload();
    const bytes = item && this.#bytes.get(item.id);
    if (!bytes) return;
    const upload = { id: item.id, sent: 0, stop: new AbortController() };
    this.#upload = upload;
    const sent = (bytes: number) => {
      upload.sent = bytes;
      this.ports.changed();
    };
    void this.ports.upload(bytes, sent, upload.stop.signal).then((result) => {
      this.#upload = null;
      // It may have been thrown away meanwhile.
      if (this.#bytes.has(upload.id)) {
        if ("sha256" in result) this.outbox.uploaded(upload.id, result.sha256);
        else this.outbox.failed(upload.id, result.fault);
        this.#keep();
      }
      this.#uploadNext();
      this.#send();
      this.ports.changed();
    });
  }

  #forget(id: string): void {
    this.#bytes.delete(id);
    if (this.#upload?.id === id) this.#upload.stop.abort();
  }

  #send(): void {
    const { conversation } = this.#kept;
    if (!this.#live || !this.#told || !conversation) return;
    const item = this.outbox.next(this.ports.now());
    if (!item) return;
    const { id, text, file, seen, force } = item;
    this.#keep();
    const body = file
      ? { kind: "file" as const, ...file, sha256: file.sha256 ?? "" }
      : { kind: "text" as const, text };
    this.ports.emit({
      event: "send",
      data: { id, conversation, seen, body, ...(force && { force }) },
    });
  }

  #keep(change: Partial<Kept> = {}): void {
    this.#kept = { ...this.#kept, ...change, outbox: this.outbox.items() };
    this.ports.keep(this.#kept);
  }
}
