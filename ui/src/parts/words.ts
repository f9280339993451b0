// The one place where codes become words; those of a search stand in searchWords.ts, those of what lies on the computer in cacheWords.ts.

import type { Code } from "../bindings/Code";
import type { ConnectRefusal } from "../bindings/ConnectRefusal";
import type { Connection } from "../bindings/Connection";
import type { Failure } from "../bindings/Failure";
import type { Link } from "../bindings/Link";
import type { Patient } from "../bindings/Patient";
import type { Time } from "../bindings/Time";
import type { Trouble } from "../bindings/Trouble";
import type { Obstacle } from "../state/attachments.svelte";
import { fileSize } from "./size";
import { birthDate, moment } from "./time";

/** `1 reply`, `3 replies`. */
export const count = (n: number, one: string, many: string): string => `${n} ${n === 1 ? one : many}`;

export const bornWords = ({ born }: Patient): string =>
  born ? `born ${birthDate(born)}` : "date of birth unknown";

export function failureWords(failure: Failure): string {
  switch (failure.failure) {
    case "signed_out":
      return "Nobody is signed in on this computer.";
    case "signed_in":
      return "Somebody else is signed in on this computer. Sign out first.";
    case "bad_address":
      return "This is not a server address. It starts with https://, as in https://chat.example.org; http:// is for this computer alone.";
    case "unreachable":
      return "No server answers at this address. Check the address and the network.";
    case "not_bedside":
      return "Something answers at this address, but it is not a Bedside server that offers this.";
    case "refused":
      return refusalWords(failure.code);
    case "bad_text":
      return `The text is empty or too long: the server takes ${failure.text_bytes} bytes at most.`;
    case "no_files":
      return "The server takes no files.";
    case "bad_file":
      return `It is too large, or empty: the server takes ${fileSize(failure.file_bytes)} at most.`;
    case "too_many_files":
      return `There are ${failure.most} files already. Send those first.`;
    case "not_saved":
      return "The file can't be written into the folder for downloads. Is the disk full?";
    case "not_found":
      return "This conversation, message or file is not here any more.";
    case "on_its_way":
      return "The message is already on its way to the server and can't be taken back.";
    case "waiting_messages":
      return `${count(failure.count, "message waits", "messages wait")} to be sent and would be lost.`;
    case "offline":
      return "What isn't on this computer can't be loaded without the network.";
    case "locked":
      return "What is kept on this computer is locked or can't be opened.";
    case "wrong_passphrase":
      return "This is not the passphrase.";
    case "no_passphrase":
      return "No passphrase was chosen on this computer yet.";
    case "short_passphrase":
      return `The passphrase is too short: it takes ${failure.characters} characters or more.`;
    case "no_system_unlock":
      return "This computer can’t be asked who you are now.";
    case "not_recognised":
      return "This computer didn’t recognise you, or doesn’t let you unlock Bedside.";
    case "dismissed":
      return "Nobody answered when the system asked who is there.";
    case "set_by_policy":
      return "Your organisation has set this for this computer.";
    case "storage":
      return "The cache on this computer can't be read or written. Is the disk full?";
    default:
      return strange(failure);
  }
}

/** Why a file wasn't attached. */
export function obstacleWords(obstacle: Obstacle): string {
  switch (obstacle.failure) {
    case "empty_file":
      return "It is empty.";
    case "unreadable_file":
      return "It can't be read. Is it a folder, or gone?";
    default:
      return failureWords(obstacle);
  }
}

export function refusalWords(code: ConnectRefusal): string {
  switch (code) {
    case "unauthenticated":
      return "The server does not know this access token.";
    case "expired":
      return "The access token has expired. Ask your clinic for a new one.";
    case "revoked":
      return "The access was taken away by the clinic.";
    case "protocol":
      return "The server speaks another version. This console has to be updated.";
    default:
      return strange(code);
  }
}

/** Why the server refused a message, or a file; stands after "Refused: " and "Your reply was refused: ". */
export function codeWords(code: Code, file = false): string {
  switch (code) {
    case "invalid":
      return "the server can't read it";
    case "too_large":
      return file ? "it is too large" : "it is too long";
    case "not_found":
      return file ? "the file or the conversation is gone" : "the conversation is gone";
    case "forbidden":
      return file ? "you may not send files here" : "you may not write here";
    case "conflict":
      return "the server holds another message under its number";
    case "behind":
      return "newer messages came";
    case "diverged":
      return "the server holds another log than this computer";
    case "rate_limited":
      return "too many messages at once";
    case "unavailable":
      return "the server could not take it";
    default:
      return strange(code);
  }
}

/** What to do about a refused message, or file. */
export function adviceWords(code: Code, file = false): string {
  switch (code) {
    case "behind":
      return "Read them. Then send it again, edit it, or discard it.";
    case "rate_limited":
    case "unavailable":
      return "Wait a moment, then send it again.";
    case "too_large":
      return file ? "Discard it." : "Edit it into shorter messages.";
    case "invalid":
    case "conflict":
      return file ? "Take it back to send it anew." : "Edit it to send it as a new message.";
    case "not_found":
    case "forbidden":
    case "diverged":
      if (file) return "Save what you need, or discard it.";
      return "Copy what you need by editing it, or discard it.";
    default:
      return strange(code);
  }
}

export function troubleWords(trouble: Trouble): string {
  switch (trouble) {
    case "unreachable":
      return "no server answers";
    case "closed":
      return "the connection broke";
    case "silent":
      return "the server went silent";
    case "unreadable":
      return "the server sent what this version can't read";
    case "rolled_back":
      return "the server holds another history than this computer, as after a restored backup: tell your clinic’s IT";
    default:
      return strange(trouble);
  }
}

/** The connection in one sentence; a countdown to the next try is said apart. */
export function linkWords({ link, waiting }: Connection, now: Time): string {
  const reading = link.link === "offline" || link.link === "paused" ? ": reading the cache" : "";
  const waits = waiting > 0 ? `, ${count(waiting, "reply waits", "replies wait")}` : "";
  return `${reachWords(link, now)}${reading}${waits}`;
}

/** Whether the server is reached. */
export function reachWords(link: Link, now: Time): string {
  switch (link.link) {
    case "signed_out":
      return "Signed out";
    case "connecting":
      return link.since === null ? "Connecting…" : `Connecting… no network since ${moment(link.since, now)}`;
    case "live":
      return "Online";
    case "offline":
      return `Offline since ${moment(link.since, now)}`;
    case "paused":
      return `Working offline since ${moment(link.since, now)}`;
    case "refused":
      return `Signed off by the server. ${refusalWords(link.code)}`;
    default:
      return strange(link);
  }
}

/** For a code of a later version; the compiler sees to it that this version's all have words. */
export function strange(code: never): string {
  return `Something this version has no words for (${JSON.stringify(code)}).`;
}
