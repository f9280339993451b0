import type { Link } from "./link";
import type { Fault } from "./outbox";
import type { Code } from "./wire";

/** What a refused message's line says, and what the patient can do. */
export const REFUSED: Record<Code, string> = {
  invalid: "Not sent: the server could not read it. Change the text and send it again.",
  too_large: "Not sent: it is too long. Split it into several messages.",
  not_found: "Not sent: this conversation is no longer there. Please call your clinic.",
  forbidden: "Not sent: you can't write here. Please call your clinic.",
  conflict: "Not sent: another message has its number. Send it again as a new message.",
  behind: "Not sent yet: something new has come. Read it, then send this again.",
  diverged: "Not sent: the server has another history. Reload this page.",
  rate_limited: "Waiting: too many messages at once.",
  unavailable: "Waiting: the server is busy.",
};

/** What the line of a file says whose bytes didn't arrive. */
export const FAILED: Record<Fault, string> = {
  network: "Not uploaded: the connection broke.",
  busy: "Not uploaded: the server is busy.",
  denied: "Not uploaded: the server did not take it. Reload this page, or call your clinic.",
  too_large: "Not uploaded: it is too large.",
  gone: "Not uploaded: this page no longer has it. Attach it again.",
};

/** What the line of a file says that was uploaded and yet isn't taken. */
export const LOST_FILE = "Not sent: the server no longer has this file. Upload it again.";

/** What the composer says when a file can't be fetched. */
export const UNSAVED = "This file could not be fetched. Check your connection and try again.";

/** What the composer says when a file can't be attached. */
export function unattachable(name: string, most: string | null): string {
  return most === null
    ? "This server takes no files."
    : `“${name}” is too large to send: a file has at most ${most}.`;
}

/** What the composer says when a text can't be sent as it is. */
export const UNSENDABLE: Partial<Record<Code, string>> = {
  too_large: "This is too long for one message. Split it into several.",
};

/** The one line that says how the connection does. */
export function connection(link: Link, caughtUp: boolean, unsent: number, kept: boolean): string {
  const waiting = unsent === 1 ? "1 message waits" : `${unsent} messages wait`;
  const where = kept
    ? `${waiting} in this tab: keep it open until then.`
    : `${waiting}. This browser can't keep them: don't close or reload this page.`;
  switch (link.is) {
    case "connecting":
      return unsent ? `Connecting… ${where}` : "Connecting…";
    case "offline":
      return unsent ? `No connection. ${where}` : "No connection. Trying again by itself.";
    case "live":
      return caughtUp ? "Connected" : "Connected. Fetching messages…";
    case "refused":
      return REFUSED_LINK[link.code];
  }
}

const REFUSED_LINK = {
  unauthenticated: "This link isn't valid. Ask your clinic for a new one, or call them.",
  expired: "Your link has expired. Ask your clinic for a new one and open it in this tab.",
  revoked: "Your access has been ended. Please call your clinic.",
  protocol: "This page is out of date. Reload it.",
};

/** What stands below one's own message. */
export const PROGRESS = {
  uploading: "Uploading…",
  paused: "Waiting for the network · keep this page open",
  waiting: "Waiting for the network · kept in this tab",
  sending: "Sending…",
  sent: "Sent",
  read: "Read",
};

/** An entry after its author's correction. */
export const AMENDED = { corrected: "corrected", retracted: "This message was taken back." };
