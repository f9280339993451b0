import type { ConversationId } from "../bindings/ConversationId";
import type { Failure } from "../bindings/Failure";
import type { File as Attached } from "../bindings/File";
import type { Reply } from "../bindings/Reply";

/** Files that a draft may have, as the core takes them. */
export const MOST_FILES = 10;

/** Why a file isn't attached: the core's reason, or what is seen before it is asked. */
export type Obstacle = Failure | { failure: "empty_file" } | { failure: "unreadable_file" };

/** A file that wasn't attached. */
export interface Missed {
  name: string;
  obstacle: Obstacle;
}

/** What there is room for. */
export interface Room {
  /** The largest file in bytes; none: no files are taken. */
  file_bytes?: number;
  /** How many files the core has attached already. */
  attached: number;
}

type Attach = (conversation: ConversationId, file: File) => Promise<Reply>;

/**
 * The files on their way to and from one conversation's draft, and no other's: it outlives the view, and every file names
 * its conversation. What is attached is the core's to say, in the conversation's head.
 *
 *   chosen --checked--> coming --kept--> attached --sent--> handed --accepted--> gone (it is in the outbox)
 *      |                  |                  ^                |
 *      +------ missed <---+                  +---- failed ----+
 */
export class Attachments {
  readonly conversation: ConversationId;
  /** Being read and kept, one after the other. */
  coming = $state.raw<readonly File[]>([]);
  /** Those of late that weren't attached, and why. */
  missed = $state.raw<readonly Missed[]>([]);
  /** Digests of those that were given to be sent or taken off, until the core says that they are attached no longer. */
  #handed = $state.raw<ReadonlySet<string>>(new Set());
  #attach: Attach;
  #working = false;
  #abandoned = false;

  constructor(conversation: ConversationId, attach: Attach) {
    this.conversation = conversation;
    this.#attach = attach;
  }

  get busy(): boolean {
    return this.coming.length > 0;
  }

  /** Attaches files, each after a look at whether there is room for it. */
  async add(files: readonly File[], room: Room) {
    if (this.#abandoned || files.length === 0) return;
    this.missed = [];
    for (const file of files) {
      const obstacle = obstacleOf(file, { ...room, attached: room.attached + this.coming.length });
      if (obstacle) this.#miss(file, obstacle);
      else this.coming = [...this.coming, file];
    }
    if (this.#working) return;
    this.#working = true;
    // One at a time: each is held in the memory as a whole.
    for (let first = this.coming[0]; first; first = this.coming[0]) await this.#keep(first);
    this.#working = false;
  }

  forgetMissed() {
    this.missed = [];
  }

  /** Of what the core says is attached, all that isn't being sent. */
  shown = (attached: readonly Attached[]): readonly Attached[] =>
    attached.filter(({ sha256 }) => !this.#handed.has(sha256));

  /** These are being sent or taken off: until it is known what became of them, nobody can send them. */
  hand(files: readonly string[]) {
    if (files.length > 0) this.#handed = new Set([...this.#handed, ...files]);
  }

  /** Something came back: of what the core says is attached, these alone are being sent. */
  release(still: readonly string[]) {
    if (this.#handed.size > 0) this.#handed = new Set(still);
  }

  /** The core says what is attached now. */
  know(attached: readonly Attached[]) {
    const still = attached.filter(({ sha256 }) => this.#handed.has(sha256));
    if (still.length < this.#handed.size) this.#handed = new Set(still.map(({ sha256 }) => sha256));
  }

  /** The account is gone: nothing more is attached. */
  abandon() {
    this.#abandoned = true;
    this.coming = [];
    this.missed = [];
  }

  async #keep(file: File) {
    try {
      await this.#attach(this.conversation, file);
    } catch (error) {
      if (!this.#abandoned) this.#miss(file, isFailure(error) ? error : { failure: "unreadable_file" });
    }
    this.coming = this.coming.filter((one) => one !== file);
  }

  #miss(file: File, obstacle: Obstacle) {
    this.missed = [...this.missed, { name: file.name, obstacle }];
  }
}

/** Why there is no room for a file, as far as that can be told without reading it. */
function obstacleOf({ size }: File, { file_bytes, attached }: Room): Obstacle | null {
  if (file_bytes === undefined) return { failure: "no_files" };
  if (size === 0) return { failure: "empty_file" };
  if (size > file_bytes) return { failure: "bad_file", file_bytes };
  if (attached >= MOST_FILES) return { failure: "too_many_files", most: MOST_FILES };
  return null;
}

const isFailure = (error: unknown): error is Failure =>
  typeof error === "object" && error !== null && "failure" in error;
