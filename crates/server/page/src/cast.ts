/** The people and the small world of the page's tests. */
import { Chat, type Ports } from "./chat";
import { fresh, type Kept } from "./kept";
import type { ClientFrame, Conversation, Entry, Role, Welcome } from "./wire";

export const PATIENT = { id: "patient-ada", role: "patient" as Role, name: "Ada" };
export const DOCTOR = { id: "provider-bo", role: "provider" as Role, name: "Dr. Bo" };
export const TALK = "conversation-ada";

/** Today at noon: no test crosses midnight. */
export const NOON = new Date(2030, 4, 6, 12).getTime();

export function entry(seq: number, change: Partial<Entry> = {}): Entry {
  return {
    conversation: TALK,
    seq,
    rev: seq,
    id: `entry-${seq}`,
    at: NOON + seq,
    author: DOCTOR,
    body: { kind: "text", text: `text ${seq}` },
    preview: `text ${seq}`,
    prev: seq - 1,
    ...change,
  };
}

export function conversation(head: number, read: Record<string, number> = {}): Conversation {
  const patient = { id: PATIENT.id, name: PATIENT.name, born: null };
  const none = { assigned: null, urgency: null, waiting_since: null, last: null };
  return { id: TALK, rev: head, head, patient, state: "open", read, ...none };
}

export function welcome(change: Partial<Welcome> = {}): Welcome {
  return {
    me: { ...PATIENT, clinic: "clinic" },
    rev: 1_000,
    epoch: "e-1",
    heartbeat_ms: 1_000,
    now: NOON,
    limits: { text_bytes: 100, frame_bytes: 1_000, sends_per_s: 20, file_bytes: 1_000 },
    policy: {},
    ...change,
  };
}

/** What becomes of an upload. */
type Uploaded = Awaited<ReturnType<Ports["upload"]>>;

/** A chat, and everything that it did to the world. */
export class World implements Ports {
  readonly chat: Chat;
  kept: Kept;
  clock = NOON;
  out: ClientFrame[] = [];
  /** Uploads that are under way. */
  uploads: { bytes: Blob; sent(bytes: number): void; stop: AbortSignal; end(result: Uploaded): void }[] = [];
  #count = 0;

  constructor(kept: Kept = fresh("token", "device")) {
    this.kept = kept;
    this.chat = new Chat(this, kept);
  }

  emit(frame: ClientFrame): void {
    this.out.push(frame);
  }
  keep(kept: Kept): void {
    // As the browser does: what isn't JSON doesn't survive.
    this.kept = JSON.parse(JSON.stringify(kept)) as Kept;
  }
  now(): number {
    return this.clock;
  }
  upload(bytes: Blob, sent: (bytes: number) => void, stop: AbortSignal): Promise<Uploaded> {
    return new Promise((end) => this.uploads.push({ bytes, sent, stop, end }));
  }
  changed(): void {
    // The tests look by themselves.
  }
  random(count: number): Uint8Array {
    return new Uint8Array(count).fill(++this.#count);
  }

  /** What went out since the last look. */
  taken(): ClientFrame[] {
    return this.out.splice(0);
  }

  /** Connects, with a log of `head` entries of which nothing is fetched yet. */
  connect(head: number): this {
    this.chat.welcome(welcome());
    this.chat.changes({ since: 0, rev: head, more: false, conversations: [conversation(head)] });
    return this;
  }

  /** Answers the `entries` request that went out last. */
  answer(entries: (from: number, to: number) => Entry[]): void {
    const asked = this.out.findLast((frame) => frame.event === "entries");
    if (!asked) throw new Error("nothing was asked for");
    const { conversation, from, to } = asked.data;
    this.chat.entries({ conversation, from, to, head: to, entries: entries(from, to) });
  }
}

/** The entries `from..=to`. */
export function all(from: number, to: number): Entry[] {
  return Array.from({ length: to - from + 1 }, (_, index) => entry(from + index));
}
