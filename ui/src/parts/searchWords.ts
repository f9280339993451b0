// What a search covers, here and on the server, and why what it found isn't shown, in words.

import type { Code } from "../bindings/Code";
import type { Covers } from "../bindings/Covers";
import type { Missing } from "../bindings/Missing";
import type { Reach } from "../bindings/Reach";
import type { Time } from "../bindings/Time";
import { shortTime } from "./time";
import { count, strange } from "./words";

/** What a search was over: never silently less than all. */
export function coversWords({ conversations, since, behind, unindexed }: Covers, now: Time): string {
  const all = conversations === 1 ? "the one conversation" : `all ${conversations} conversations`;
  const parts = [
    `Searched ${all}${since === null ? "" : ` since ${shortTime(since, now)}`} on this computer`,
  ];
  if (behind > 0) parts.push(`${behind} still loading`);
  if (unindexed > 0) parts.push(`${count(unindexed, "message", "messages")} not searched yet`);
  return parts.join("; ");
}

/** What the server's part of a search is over, and whether another try helps. */
export function reachOfSearchWords(reach: Reach, hits: number, now: Time): { words: string; again: boolean } {
  const says = (words: string, again = false) => ({ words, again });
  switch (reach.reach) {
    case "unasked":
      return says("The server was not asked.", true);
    case "needless":
      return says("All that the server has is on this computer.");
    case "unread":
      return says("is:unread searches this computer alone: the server was not asked.");
    case "asking":
      return says("Asking the server for what is not on this computer…");
    case "busy":
      return says("The server is busy. It is asked again in a moment.");
    case "offline":
      return says("Offline: what is not on this computer is searched once the server is reached.");
    case "silent":
      return says("The server did not answer: what is not on this computer was not searched.", true);
    case "refused":
      return reach.code === "too_large"
        ? says("These are more words than the server searches for: only this computer was searched.")
        : says(`The server did not search: ${searchCodeWords(reach.code)}.`, true);
    case "answered": {
      const found =
        hits === 0
          ? "The server found nothing that is not here"
          : `${count(hits, "message", "messages")} from the server`;
      const back =
        reach.back_to === null
          ? ""
          : `; there is more from before ${shortTime(reach.back_to, now)}: narrow the search`;
      const late =
        reach.unindexed > 0 ? `; ${count(reach.unindexed, "message", "messages")} not searched yet` : "";
      return says(`${found}${back}${late}`);
    }
    default:
      return says(strange(reach));
  }
}

function searchCodeWords(code: Code): string {
  if (code === "forbidden") return "you may not search there";
  return code === "unavailable" || code === "rate_limited" ? "it can’t now" : "it can’t read this search";
}

/** Why no more is shown around what somebody jumped to. */
export function restWords(missing: Missing): string {
  switch (missing.missing) {
    case "fetching":
      return "Loading more messages…";
    case "offline":
      return "More is not kept on this computer. It comes when the connection is back.";
    case "refused":
      return "The server did not give more messages.";
    default:
      return strange(missing);
  }
}

/** Why a message that somebody jumped to isn't shown, or not with all that stands around it. */
export function missingWords(missing: Missing): string {
  switch (missing.missing) {
    case "fetching":
      return "Fetching messages from the server…";
    case "offline":
      return "This message is not kept on this computer. It will be shown when the connection is back.";
    case "refused":
      return missing.code === "not_found"
        ? "The server has no such message any more."
        : "The server did not give this message.";
    default:
      return strange(missing);
  }
}
