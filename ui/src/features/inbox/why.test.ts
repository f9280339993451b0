import { expect, test } from "vitest";
import type { InboxRow } from "../../bindings/InboxRow";
import { COLLEAGUE, ME, outgoing, PATIENT, row } from "../../state/fixtures";
import { lastWords, why } from "./why";

const NOW = 100 * 60_000;
const ago = (minutes: number) => NOW - minutes * 60_000;
const said = (author: typeof COLLEAGUE | typeof PATIENT | typeof ME) => ({
  last: { seq: 4, at: 0, author, preview: "words" },
});
const urgency = (level: "urgent" | "routine") => ({ level, reason: "Red flags", basis: 1 });
const with_ = (row: InboxRow, changes: Partial<InboxRow>): InboxRow => ({ ...row, ...changes });
const refused = outgoing("o-1", { state: "refused", code: "behind", retry: "after_reading" });

test.each<[InboxRow, string, string]>([
  [with_(row("a"), { outgoing: refused }), "Your reply was refused: newer messages came", "urgent"],
  [row("a", { urgency: urgency("urgent"), waiting_since: ago(30) }), "Red flags", "urgent"],
  [row("a", { urgency: urgency("routine"), waiting_since: ago(1) }), "New conversation", "quiet"],
  [with_(row("a"), { outgoing: outgoing("o-1") }), "Your reply waits for the network", "wait"],
  [with_(row("a"), { outgoing: outgoing("o-1", { state: "sending" }) }), "Your reply is being sent", "quiet"],
  [with_(row("a", { waiting_since: ago(16) }), { draft: true }), "Waits longer than 15 min", "wait"],
  [with_(row("a", { waiting_since: ago(15) }), { draft: true }), "Draft kept", "quiet"],
  [row("a", { waiting_since: ago(3) }), "New conversation", "quiet"],
  [row("a", { waiting_since: ago(3), read: { [ME.id]: 1 } }), "Waits for an answer", "quiet"],
  [row("a", { state: "snoozed" }), "Snoozed", "quiet"],
  [row("a", { state: "closed" }), "Closed", "quiet"],
  [row("a", said(ME)), "You replied · not read yet", "quiet"],
  [row("a", { ...said(ME), read: { [PATIENT.id]: 4 } }), "You replied · read", "quiet"],
  [row("a", said(COLLEAGUE)), "Dr. Jonas Lindqvist replied · not read yet", "quiet"],
  [row("a", said(PATIENT)), "Nobody waits", "quiet"],
])("why a row stands there: %#", (row, words, tone) => {
  expect(why(row, ME, NOW)).toEqual({ words, tone });
});

test("whose words the last ones are", () => {
  expect(lastWords(row("a", said(PATIENT)), ME)).toBe("words");
  expect(lastWords(row("a", said(ME)), ME)).toBe("You: words");
  expect(lastWords(row("a", said(COLLEAGUE)), ME)).toBe("Dr. Jonas Lindqvist: words");
  expect(lastWords(with_(row("a"), { outgoing: refused }), ME)).toBe("You: an answer");
  const sent = {
    ...refused,
    body: { kind: "file", sha256: "0", name: "a.png", media_type: "", bytes: 1 } as const,
  };
  expect(lastWords(with_(row("a"), { outgoing: sent }), ME)).toBe("You: File: a.png");
  expect(lastWords(row("a", { last: null }), ME)).toBe("Nothing written yet");
});
