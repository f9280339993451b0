import type { ConversationId } from "../bindings/ConversationId";
import type { Failure } from "../bindings/Failure";
import type { Seq } from "../bindings/Seq";
import type { Platform } from "../platform";
import { Attachments } from "./attachments.svelte";

/** Long enough to gather a word, short enough that a crash costs no sentence. */
export const DRAFT_DELAY_MS = 300;
/** Whoever types without a pause is kept this often: within a second, with time for the disk. */
export const DRAFT_LATEST_MS = 700;
/** The server shows "is writing" a little longer than this. */
export const TYPING_EVERY_MS = 3_000;

/**
 * What is being written to one conversation, and to no other: it outlives the view, and every command it gives names
 * its own conversation.
 *
 *   typed --send--> queue --accepted--> gone (it is in the outbox)
 *     ^               |
 *     +---- failed ---+   with the reason, in the order it was written
 *
 * Until the core has accepted a text, the kept draft contains it. Files are attached in the core, and taken from there.
 */
export class Compose {
  readonly conversation: ConversationId;
  text = $state("");
  /** Where in the text the caret stood when it was last looked at, in UTF-16 units. */
  cursor: number;
  /** Why the last text was not taken, or the draft not kept. */
  trouble = $state.raw<Failure | null>(null);
  readonly attachments: Attachments;
  #call: Platform["call"];
  #queue: { text: string; files: readonly string[]; seen: Seq; hold_ms: number }[] = [];
  #sending = false;
  /** `null`: whatever the disk has, it is to be written again. */
  #saved: string | null;
  #saving: Promise<boolean> | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** When what was typed first since the last flush has to be kept. */
  #due: number | null = null;
  #typingAt = -Infinity;

  constructor(
    conversation: ConversationId,
    draft: string,
    { call, attach }: Pick<Platform, "call" | "attach">,
    cursor = draft.length,
  ) {
    this.conversation = conversation;
    this.attachments = new Attachments(conversation, async (to, file) => {
      const reply = await attach(to, file);
      // It may be one that was taken off just before.
      this.attachments.release(this.#queue.flatMap(({ files }) => files));
      return reply;
    });
    this.text = draft;
    this.cursor = cursor;
    this.#saved = draft;
    this.#call = call;
  }

  /** Whether the core has all of it. */
  get kept(): boolean {
    return this.#kept() === this.#saved && !this.attachments.busy;
  }

  /** The person typed, and the caret stands at `cursor`. */
  type(text: string, cursor = text.length, now = Date.now()) {
    this.text = text;
    this.cursor = cursor;
    this.trouble = null;
    this.#due ??= now + DRAFT_LATEST_MS;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.flush(), Math.min(DRAFT_DELAY_MS, this.#due - now));
    if (text.trim() !== "" && now - this.#typingAt >= TYPING_EVERY_MS) {
      this.#typingAt = now;
      // Nobody misses a lost "is writing".
      this.#call({ command: "typing", conversation: this.conversation }).catch(() => {});
    }
  }

  /** Takes back what a message said: a text in front of what is typed, a file where it was attached. */
  restore(text: string) {
    this.attachments.release(this.#queue.flatMap(({ files }) => files));
    if (text === "") return;
    const whole = joined([text, this.text]);
    this.type(whole, this.#within(whole));
    // At once: what was saved before it came back would stay on the disk without it.
    void this.flush();
  }

  /** Hands the text over, and attached files by their digests, with the newest `seq` in view. */
  async send(seen: Seq, hold_ms = 0, files: readonly string[] = []) {
    const text = this.text.trim();
    if (text === "" && files.length === 0) return;
    this.#queue.push({ text, files, seen, hold_ms });
    this.attachments.hand(files);
    this.attachments.forgetMissed();
    this.text = "";
    this.cursor = 0;
    this.trouble = null;
    // The next text is worth a new "is writing".
    this.#typingAt = -Infinity;
    if (this.#sending) return;
    this.#sending = true;
    await this.#drain();
    this.#sending = false;
    await this.flush();
  }

  /** Takes a file off. From now on it can't be sent, whenever the core comes to it; unless that fails. */
  async detach(sha256: string) {
    this.attachments.hand([sha256]);
    try {
      await this.#call({ command: "detach", conversation: this.conversation, sha256 });
    } catch (failure) {
      this.attachments.release(this.#queue.flatMap(({ files }) => files));
      throw failure;
    }
  }

  /** Keeps what is typed, now. Answers whether it is kept. */
  flush(): Promise<boolean> {
    clearTimeout(this.#timer);
    this.#due = null;
    // One at a time: of two at once, the older could be written last.
    this.#saving ??= this.#save().finally(() => (this.#saving = undefined));
    return this.#saving;
  }

  /** Keeps it, whatever was kept before: the cache was closed, or has been mended. */
  keepAnew() {
    this.#saved = null;
    this.trouble = null;
    void this.flush();
  }

  /** The account is gone, and its drafts with it; or the core has it all. */
  abandon() {
    clearTimeout(this.#timer);
    this.text = this.#saved = "";
    this.attachments.abandon();
  }

  async #save(): Promise<boolean> {
    for (let text = this.#kept(); text !== this.#saved; text = this.#kept()) {
      const cursor = this.#within(text);
      try {
        await this.#call({ command: "save_draft", conversation: this.conversation, text, cursor });
        this.#saved = text;
      } catch (failure) {
        this.trouble ??= failure as Failure;
        return false;
      }
    }
    return true;
  }

  async #drain() {
    for (let first = this.#queue[0]; first; first = this.#queue[0]) {
      try {
        await this.#call({
          command: "send",
          conversation: this.conversation,
          ...first,
          files: [...first.files],
        });
        this.#queue.shift();
      } catch (failure) {
        const whole = this.#kept();
        this.cursor = this.#within(whole);
        this.text = whole;
        this.#queue = [];
        this.attachments.release([]);
        this.trouble = failure as Failure;
      }
    }
  }

  /** Where the caret stands in `whole`, which ends with the text. */
  #within = (whole: string) => Math.max(0, whole.length - Math.max(0, this.text.length - this.cursor));

  #kept = () => joined([...this.#queue.map(({ text }) => text), this.text]);
}

const joined = (texts: string[]) => texts.filter((text) => text.trim() !== "").join("\n");
