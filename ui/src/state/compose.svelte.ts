import type { Command } from "../bindings/Command";
import type { ConversationId } from "../bindings/ConversationId";
import type { Failure } from "../bindings/Failure";
import type { Reply } from "../bindings/Reply";
import type { Seq } from "../bindings/Seq";

/** Long enough to gather a word, short enough that a crash costs no sentence. */
export const DRAFT_DELAY_MS = 300;
/** The server shows "is writing" a little longer than this. */
export const TYPING_EVERY_MS = 3_000;

type Call = (command: Command) => Promise<Reply>;

/**
 * What is being written to one conversation, and to no other: it outlives the view, and every command it gives names
 * its own conversation.
 *
 *   typed --send--> queue --accepted--> gone (it is in the outbox)
 *     ^               |
 *     +---- failed ---+   with the reason, in the order it was written
 *
 * Until the core has accepted a text, the kept draft contains it.
 */
export class Compose {
  readonly conversation: ConversationId;
  text = $state("");
  /** Why the last text was not taken, or the draft not kept. */
  trouble = $state.raw<Failure | null>(null);
  #call: Call;
  #queue: { text: string; seen: Seq; hold_ms: number }[] = [];
  #sending = false;
  #saved: string;
  #saving: Promise<boolean> | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #typingAt = -Infinity;

  constructor(conversation: ConversationId, draft: string, call: Call) {
    this.conversation = conversation;
    this.text = draft;
    this.#saved = draft;
    this.#call = call;
  }

  /** The person typed. */
  type(text: string, now = Date.now()) {
    this.text = text;
    this.trouble = null;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.flush(), DRAFT_DELAY_MS);
    if (text.trim() !== "" && now - this.#typingAt >= TYPING_EVERY_MS) {
      this.#typingAt = now;
      // Nobody misses a lost "is writing".
      this.#call({ command: "typing", conversation: this.conversation }).catch(() => {});
    }
  }

  /** Puts a text back in front of what is typed. */
  restore(text: string) {
    this.type(joined([text, this.text]));
    // At once: what was saved before it came back would stay on the disk without it.
    void this.flush();
  }

  /** Hands the text over, with the newest `seq` in view. */
  async send(seen: Seq, hold_ms = 0) {
    const text = this.text.trim();
    if (text === "") return;
    this.#queue.push({ text, seen, hold_ms });
    this.text = "";
    this.trouble = null;
    // The next text is worth a new "is writing".
    this.#typingAt = -Infinity;
    if (this.#sending) return;
    this.#sending = true;
    await this.#drain();
    this.#sending = false;
    await this.flush();
  }

  /** Keeps what is typed, now. Answers whether it is kept. */
  flush(): Promise<boolean> {
    clearTimeout(this.#timer);
    // One at a time: of two at once, the older could be written last.
    this.#saving ??= this.#save().finally(() => (this.#saving = undefined));
    return this.#saving;
  }

  /** The account is gone, and its drafts with it. */
  abandon() {
    clearTimeout(this.#timer);
    this.text = this.#saved = "";
  }

  async #save(): Promise<boolean> {
    for (let text = this.#kept(); text !== this.#saved; text = this.#kept()) {
      try {
        await this.#call({ command: "save_draft", conversation: this.conversation, text });
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
        await this.#call({ command: "send_text", conversation: this.conversation, ...first });
        this.#queue.shift();
      } catch (failure) {
        this.text = this.#kept();
        this.#queue = [];
        this.trouble = failure as Failure;
      }
    }
  }

  #kept = () => joined([...this.#queue.map(({ text }) => text), this.text]);
}

const joined = (texts: string[]) => texts.filter((text) => text.trim() !== "").join("\n");
