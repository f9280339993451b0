// The one cast of the unit tests; ids of different things share no number.

import type { Body } from "../bindings/Body";
import type { Conversation } from "../bindings/Conversation";
import type { Entry } from "../bindings/Entry";
import type { InboxRow } from "../bindings/InboxRow";
import type { Item } from "../bindings/Item";
import type { Me } from "../bindings/Me";
import type { Outgoing } from "../bindings/Outgoing";
import type { OutgoingState } from "../bindings/OutgoingState";

export const ME: Me = { id: "p-100", name: "Dr. Amara Osei", role: "provider", clinic: "clinic-1" };
export const PATIENT = { id: "u-200", name: "Martha Ellison", role: "patient" } as const;
export const COLLEAGUE = { id: "p-101", name: "Dr. Jonas Lindqvist", role: "provider" } as const;

export const text = (words: string): Body => ({ kind: "text", text: words });

export const entry = (seq: number, changes: Partial<Entry> = {}): Entry => ({
  conversation: "c-300",
  seq,
  rev: seq,
  id: `e-${seq}`,
  at: seq * 60_000,
  author: PATIENT,
  body: text(`words ${seq}`),
  preview: `words ${seq}`,
  ...changes,
});

export const outgoing = (
  id: string,
  state: OutgoingState = { state: "waiting", recallable: true },
): Outgoing => ({
  id,
  conversation: "c-300",
  body: text("an answer"),
  at: 0,
  seen: 0,
  state,
});

export const logged = (seq: number, changes?: Partial<Entry>): Item => ({
  item: "entry",
  entry: entry(seq, changes),
});

export const conversation = (id: string, changes: Partial<Conversation> = {}): Conversation => ({
  id,
  rev: 1,
  head: 1,
  patient: { id: PATIENT.id, name: PATIENT.name, born: "1957-03-12" },
  state: "open",
  assigned: null,
  urgency: null,
  waiting_since: null,
  last: { seq: 1, at: 0, author: PATIENT, preview: "words" },
  read: {},
  ...changes,
});

export const row = (id: string, changes: Partial<Conversation> = {}): InboxRow => ({
  conversation: conversation(id, changes),
  unread: 0,
  draft: false,
  outgoing: null,
});
