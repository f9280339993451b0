// What becomes of what lies on the computer, in words.

import type { ClosedBy } from "../bindings/ClosedBy";
import type { History } from "../bindings/History";
import type { HistoryPause } from "../bindings/HistoryPause";
import type { LockedBy } from "../bindings/LockedBy";
import type { Opener } from "../bindings/Opener";
import type { Repair } from "../bindings/Repair";
import { count, strange } from "./words";

/** How far the older messages are that come in the background, and why no more come now. */
export function historyWords({ held, all, paused }: History): string {
  // Never "100 %" before all is here.
  const share = `${Math.floor((100 * held) / all)} %`;
  if (paused === null) return `Keeping earlier messages for offline: ${share}`;
  return `Earlier messages for offline: ${share}, paused: ${pauseWords(paused)}`;
}

function pauseWords(paused: HistoryPause): string {
  switch (paused) {
    case "full":
      return "no more may be kept";
    case "metered":
      return "this connection is metered";
    case "low_battery":
      return "the battery is low";
    default:
      return strange(paused);
  }
}

/** After how long it locks itself. */
export const idleWords = (minutes: number): string =>
  minutes === 0 ? "Never" : `After ${count(minutes, "minute", "minutes")}`;

export function lockedWords(by: LockedBy, opener: Opener): string {
  switch (by) {
    case "person":
      return "You locked it.";
    case "idle":
      return "It locked itself: nobody was here for a while.";
    case "sleep":
      return "It locked itself when the computer slept.";
    case "session":
      return "It locked itself when the computer was locked.";
    case "switch":
      return "It locked itself when another user came to the computer.";
    case "start":
      return opener === "passphrase" ? "Its passphrase opens it." : "This computer’s sign-in opens it.";
    default:
      return strange(by);
  }
}

/** Why what is kept here can't be opened, and what to do about it. */
export function closedWords(why: ClosedBy): string {
  switch (why) {
    case "keychain":
      return "The keys to what is kept here are in this computer’s keychain, which doesn’t give them now. Unlock the keychain or have it restored, then try again. Nothing was touched.";
    case "newer":
      return "A newer version of Bedside wrote what is kept on this computer. Update this one, then start it again. Nothing was touched.";
    case "disk":
      return "This computer’s disk is full, or it can’t be read or written. Make room or have it looked at, then try again. Nothing was deleted.";
    default:
      return strange(why);
  }
}

/** What was damaged on this computer, what became of it, and whether something may be lost. */
export function repairWords(what: Repair): { words: string; lost: boolean } {
  switch (what) {
    case "caught_up":
      return {
        words:
          "The newest changes were missing from the cache. They were brought back from its copy: nothing is lost.",
        lost: false,
      };
    case "copied":
      return {
        words: "The copy of your drafts and unsent messages was damaged. It was made anew: nothing is lost.",
        lost: false,
      };
    case "rebuilt":
      return {
        words:
          "The cache was damaged and was made anew. Conversations come from the server again; drafts and messages that wait are as they were.",
        lost: false,
      };
    case "salvaged":
      return {
        words:
          "The cache and its copy were both damaged. Drafts or messages that waited to be sent may be missing: check what you wrote last.",
        lost: true,
      };
    case "set_aside":
      return {
        words:
          "What was kept on this computer no longer opens with its keys. It was set aside, and everything begins anew: drafts and messages that waited are missing. Tell your clinic’s IT.",
        lost: true,
      };
    default:
      return { words: strange(what), lost: true };
  }
}
