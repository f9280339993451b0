import type { Command } from "../bindings/Command";
import type { Query } from "../bindings/Query";
import type { Reply } from "../bindings/Reply";
import type { Update } from "../bindings/Update";

/** What the window needs from its host. Nothing else in the window knows which host it is. */
export interface Platform {
  /** Has a command done; rejects with a `Failure`. */
  call(command: Command): Promise<Reply>;
  /** Makes `queries` the whole set that is watched. Every update goes to the listener of the first call. */
  watch(queries: Query[], listener: (update: Update) => void): Promise<void>;
  /** Opens a web address in the system's browser. */
  openLink(url: string): Promise<void>;
}
