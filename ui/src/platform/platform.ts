import type { Command } from "../bindings/Command";
import type { ConversationId } from "../bindings/ConversationId";
import type { Query } from "../bindings/Query";
import type { Reply } from "../bindings/Reply";
import type { Update } from "../bindings/Update";

/** What the window needs from its host. Nothing else in the window knows which host it is. */
export interface Platform {
  /** Has a command done; rejects with a `Failure`. */
  call(command: Command): Promise<Reply>;
  /** Makes `queries` the whole set that is watched. Every update goes to the listener of the first call. */
  watch(queries: Query[], listener: (update: Update) => void): Promise<void>;
  /** Reads a file and attaches it to a conversation's draft; rejects with a `Failure`, or with an error if it can't be read. */
  attach(conversation: ConversationId, file: File): Promise<Reply>;
  /** Where a page finds the picture in `place`; nothing else is found there. */
  fileUrl(place: string): string;
  /** Writes the file in `place` into the user's folder for downloads; rejects with a `Failure`. */
  saveFile(place: string): Promise<Reply>;
  /** Opens a web address in the system's browser. */
  openLink(url: string): Promise<void>;
}
