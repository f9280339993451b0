import type { InboxRow } from "../../bindings/InboxRow";
import type { Me } from "../../bindings/Me";
import type { Time } from "../../bindings/Time";
import { codeWords } from "../../parts/words";
import { minutesSince, moment } from "../../parts/time";
import { plain, stateNow } from "../../state/item";

/** After how many minutes a wait is called long. */
const LONG_WAIT_MIN = 15;

/** Red and amber are rare, so that they mean something. */
export type Tone = "urgent" | "wait" | "quiet";
export interface Why {
  words: string;
  tone: Tone;
}

export const waitsLong = (row: InboxRow, now: Time): boolean =>
  row.conversation.waiting_since !== null &&
  minutesSince(row.conversation.waiting_since, now) > LONG_WAIT_MIN;

/** Why a row stands where it stands: the one thing about it that matters most. */
export function why(row: InboxRow, me: Me, now: Time): Why {
  const { outgoing, draft, conversation } = row;
  const { urgency, waiting_since, last, read, patient, state, until } = conversation;

  if (outgoing?.state.state === "refused") {
    return {
      words: `Your reply was refused: ${codeWords(outgoing.state.code, outgoing.body.kind === "file")}`,
      tone: "urgent",
    };
  }
  if (urgency && urgency.level !== "routine") {
    return { words: urgency.reason, tone: urgency.level === "urgent" ? "urgent" : "wait" };
  }
  if (outgoing && stateNow(outgoing.state, () => now).state === "waiting")
    return { words: "Your reply waits for the network", tone: "wait" };
  if (outgoing) return { words: "Your reply is being sent", tone: "quiet" };
  if (waitsLong(row, now)) return { words: `Waits longer than ${LONG_WAIT_MIN} min`, tone: "wait" };
  if (draft) return { words: "Draft kept", tone: "quiet" };
  if (waiting_since !== null) {
    const seenByClinic = Object.keys(read).some((id) => id !== patient.id);
    return { words: seenByClinic ? "Waits for an answer" : "New conversation", tone: "quiet" };
  }
  if (state === "snoozed") {
    return { words: until === undefined ? "Snoozed" : `Snoozed until ${moment(until, now)}`, tone: "quiet" };
  }
  if (state === "closed") return { words: "Closed", tone: "quiet" };
  if (last?.author.role === "provider") {
    const who = last.author.id === me.id ? "You replied" : `${last.author.name} replied`;
    return {
      words: (read[patient.id] ?? 0) >= last.seq ? `${who} · read` : `${who} · not read yet`,
      tone: "quiet",
    };
  }
  return { words: "Nobody waits", tone: "quiet" };
}

/** What was said last, and by whom unless it was the patient. */
export function lastWords({ outgoing, conversation: { last } }: InboxRow, me: Me): string {
  if (outgoing) return `You: ${plain(outgoing.body)}`;
  if (!last) return "Nothing written yet";
  if (last.author.role !== "provider") return last.preview;
  return `${last.author.id === me.id ? "You" : last.author.name}: ${last.preview}`;
}
