import type { Author } from "../bindings/Author";
import type { Body } from "../bindings/Body";
import type { ConversationId } from "../bindings/ConversationId";
import type { ConversationHead } from "../bindings/ConversationHead";
import type { Entry } from "../bindings/Entry";
import type { EntryId } from "../bindings/EntryId";
import type { Item } from "../bindings/Item";
import type { Me } from "../bindings/Me";
import type { OutgoingState } from "../bindings/OutgoingState";
import type { Seq } from "../bindings/Seq";
import type { Time } from "../bindings/Time";
import { bareName } from "../parts/file";

/** How far an item is: the log holds it, or the state of a message on its way. */
export type Progress = { state: "sent"; seq: Seq; read: boolean } | OutgoingState;

/** What the component of an entry's kind is given. */
export interface Shown<B = Body> {
  id: EntryId;
  conversation: ConversationId;
  body: B;
  preview: string;
  at: Time;
  author: Author;
  /** Whether one wrote it oneself. */
  mine: boolean;
  /** Whether its author took it back since. */
  takenBack: boolean;
  progress: Progress;
}

export const idOf = (item: Item): EntryId => (item.item === "entry" ? item.entry.id : item.outgoing.id);
export const timeOf = (item: Item): Time => (item.item === "entry" ? item.entry.at : item.outgoing.at);

/** The item as it stands on the screen. */
export function show(
  item: Item,
  me: Me,
  head: ConversationHead,
  takenBack: ReadonlySet<EntryId>,
  now: () => Time,
): Shown {
  if (item.item === "outgoing") {
    const { id, conversation, body, at, state } = item.outgoing;
    const author = { id: me.id, role: me.role, name: me.name };
    const progress = stateNow(state, now);
    return {
      id,
      conversation,
      body,
      at,
      author,
      preview: plain(body),
      mine: true,
      takenBack: false,
      progress,
    };
  }
  const { id, conversation, body, preview, at, author, seq } = item.entry;
  const { patient, read } = head.conversation;
  const progress: Progress = { state: "sent", seq, read: (read[patient.id] ?? 0) >= seq };
  const mine = author.id === me.id;
  return { id, conversation, body, preview, at, author, mine, takenBack: takenBack.has(id), progress };
}

/** A message that was held back waits like any other once its time has come. The clock is asked only while one is held. */
export const stateNow = (state: OutgoingState, now: () => Time): OutgoingState =>
  state.state === "held" && state.until <= now() ? { state: "waiting", recallable: true } : state;

/** Whether a message of one's own can be taken back; the server may have it already. A refused one always can. */
export const recallable = ({ state, ...more }: Progress): boolean =>
  state === "held" || state === "uploading" || ("recallable" in more && more.recallable);

/** Whether a message's time has not come yet, so that it can be undone. */
export const isHeld = (item: Item, now: Time): boolean =>
  item.item === "outgoing" && stateNow(item.outgoing.state, () => now).state === "held";

/** What one Enter wrote and is still held, the last of it first; the message alone, if it isn't held. */
export function together(items: readonly Item[], id: EntryId, now: Time): EntryId[] {
  const one = items.find((item) => idOf(item) === id);
  const held = (item: Item) => isHeld(item, now);
  if (!one || !held(one)) return [id];
  return items
    .filter((item) => held(item) && timeOf(item) === timeOf(one))
    .map(idOf)
    .reverse();
}

/** Where the host has a conversation's file: the one of a message, by its id, or of the draft, by the file's digest. */
export const placeOf = (conversation: ConversationId, of: string): string => `${conversation}/${of}`;

/** How much of a file is handed over, in whole percent: never 100 before all is. */
export const percent = (sent: number, bytes: number): number => Math.floor((100 * sent) / Math.max(bytes, 1));

/** What a body of one's own says in plain text. */
export function plain(body: Body): string {
  if (body.kind === "file") return `File: ${bareName(body.name)}`;
  return "text" in body && typeof body.text === "string" ? body.text : "";
}

/** The entries that were taken back. */
export const takenBackOf = (items: readonly Item[]): ReadonlySet<EntryId> =>
  new Set(
    items.flatMap((item) =>
      item.item === "entry" && item.entry.body.kind === "amend" && item.entry.body.text === null
        ? [item.entry.body.target]
        : [],
    ),
  );

/** The newest `seq` among the items up to `index`; 0 without any entry. */
export function seqAt(items: readonly Item[], index: number): Seq {
  for (let i = Math.min(index, items.length - 1); i >= 0; i--) {
    const item = items[i];
    if (item?.item === "entry") return item.entry.seq;
  }
  return 0;
}

/** The `seq` of the first entry of somebody else's after `seq`: below the line "New". */
export function firstNew(items: readonly Item[], after: Seq | null, me: Me): Seq | null {
  if (after === null) return null;
  const found = items.find((item) => isOthers(item, after, me));
  return found?.item === "entry" ? found.entry.seq : null;
}

/** How many entries of others come after `seq`. */
export function othersAfter(items: readonly Item[], after: Seq, me: Me): number {
  let n = 0;
  for (let i = items.length - 1; i >= 0; i--) {
    const item = items[i];
    if (!item || (item.item === "entry" && item.entry.seq <= after)) break;
    if (isOthers(item, after, me)) n += 1;
  }
  return n;
}

/** The messages that the patient or a colleague wrote after `seq`: what makes a reply late. */
export const messagesAfter = (items: readonly Item[], after: Seq, me: Me): Entry[] =>
  items
    .flatMap((item) => (isOthers(item, after, me) && item.item === "entry" ? [item.entry] : []))
    .filter(
      ({ body, author }) =>
        body.kind === "text" || body.kind === "file" || (body.kind === "amend" && author.role === "patient"),
    );

const isOthers = (item: Item, after: Seq, me: Me) =>
  item.item === "entry" && item.entry.seq > after && item.entry.author.id !== me.id;

/** One step of a list's change; `shift` when it happens at the start. */
export interface Stage {
  items: readonly Item[];
  shift: boolean;
}

/**
 * The steps from `old` to `next` for a list that keeps its place: first what comes or goes at the start, then
 * the rest. A list can keep still through each, but not through both at once.
 */
export function stages(old: readonly Item[], next: readonly Item[]): Stage[] {
  const whole = [{ items: next, shift: false }];
  const [oldFirst, nextFirst] = [old[0], next[0]];
  if (!oldFirst || !nextFirst || idOf(oldFirst) === idOf(nextFirst)) return whole;

  const added = next.findIndex((item) => idOf(item) === idOf(oldFirst));
  if (added > 0) {
    const start = { items: [...next.slice(0, added), ...old], shift: true };
    return next.length === start.items.length ? [{ items: next, shift: true }] : [start, ...whole];
  }
  const gone = old.findIndex((item) => idOf(item) === idOf(nextFirst));
  if (gone > 0) {
    const start = { items: old.slice(gone), shift: true };
    return next.length === start.items.length ? [{ items: next, shift: true }] : [start, ...whole];
  }
  return whole;
}
