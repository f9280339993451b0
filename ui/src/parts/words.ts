// The one place where codes become words.

import type { Code } from "../bindings/Code";
import type { ConnectRefusal } from "../bindings/ConnectRefusal";
import type { Connection } from "../bindings/Connection";
import type { Covers } from "../bindings/Covers";
import type { Failure } from "../bindings/Failure";
import type { Patient } from "../bindings/Patient";
import type { Time } from "../bindings/Time";
import type { Trouble } from "../bindings/Trouble";
import { birthDate, moment, shortTime } from "./time";

/** `1 reply`, `3 replies`. */
export const count = (n: number, one: string, many: string): string => `${n} ${n === 1 ? one : many}`;

export const bornWords = ({ born }: Patient): string =>
  born ? `born ${birthDate(born)}` : "date of birth unknown";

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
    case "not_found":
      return "This conversation or message is not here any more.";
    case "on_its_way":
      return "The message is already on its way to the server and can't be taken back.";
    case "waiting_messages":
      return `${count(failure.count, "message waits", "messages wait")} to be sent and would be lost.`;
    case "offline":
      return "Older messages can't be loaded without the network.";
    case "storage":
      return "The cache on this computer can't be read or written. Is the disk full?";
    default:
      return strange(failure);
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

/** Why the server refused a message; stands after "Refused: " and "Your reply was refused: ". */
export function codeWords(code: Code): string {
  switch (code) {
    case "invalid":
      return "the server can't read it";
    case "too_large":
      return "it is too long";
    case "not_found":
      return "the conversation is gone";
    case "forbidden":
      return "you may not write here";
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

/** What to do about a refused message. */
export function adviceWords(code: Code): string {
  switch (code) {
    case "behind":
      return "Read them. Then send it again, edit it, or discard it.";
    case "rate_limited":
    case "unavailable":
      return "Wait a moment, then send it again.";
    case "too_large":
      return "Edit it into shorter messages.";
    case "invalid":
    case "conflict":
      return "Edit it to send it as a new message.";
    case "not_found":
    case "forbidden":
    case "diverged":
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
  const waits = waiting > 0 ? `, ${count(waiting, "reply waits", "replies wait")}` : "";
  switch (link.link) {
    case "signed_out":
      return "Signed out";
    case "connecting":
      return link.since === null
        ? `Connecting…${waits}`
        : `Connecting… no network since ${moment(link.since, now)}${waits}`;
    case "live":
      return `Online${waits}`;
    case "offline":
      return `Offline since ${moment(link.since, now)}: reading the cache${waits}`;
    case "paused":
      return `Working offline since ${moment(link.since, now)}: reading the cache${waits}`;
    case "refused":
      return `Signed off by the server. ${refusalWords(link.code)}${waits}`;
    default:
      return strange(link);
  }
}

/** For a code of a later version; the compiler sees to it that this version's all have words. */
function strange(code: never): string {
  return `Something this version has no words for (${JSON.stringify(code)}).`;
}
