import type { Chat } from "./chat";
import type { Link } from "./link";
import { isPicture, shown as shownName } from "./names";
import type { Outgoing } from "./outbox";
import { AMENDED, FAILED, LOST_FILE, PROGRESS, REFUSED } from "./words";
import { RETRY, type Entry, type Role } from "./wire";

/** One row of the conversation as it stands on the screen. `key` tells rows apart over time. */
export type Row =
  | { is: "day"; key: string; text: string }
  | { is: "notice"; key: string; text: string; at: number; time: string }
  | Message;

/** A message, sent or on its way. */
export interface Message {
  is: "message";
  key: string;
  author: Role;
  name: string;
  text: string;
  /** Instead of a text. */
  file: Shown | null;
  /** Taken back: `text` is a sentence about that. */
  retracted: boolean;
  at: number;
  /** The line below it. */
  line: string;
  state: "received" | "uploading" | "waiting" | "sending" | "sent" | "refused";
  read: boolean;
  /** What is wrong with it, if it was refused, and whether sending it again as it is may help. */
  refused: { text: string; again: boolean } | null;
}

/** A file on the screen. */
export interface Shown {
  /** Harmless to the eye. */
  name: string;
  bytes: number;
  /** Null while its bytes aren't on the server. */
  sha256: string | null;
  /** What to show it as; null: it isn't shown but saved. */
  picture: string | null;
  /** Per cent that have gone up, while it does. */
  uploaded: number | null;
}

/** The rows of the conversation, in their order. */
export function rows(chat: Chat, link: Link, now: number): Row[] {
  const entries = chat.log.entries();
  const ids = new Set(entries.map((entry) => entry.id));
  const amendments = amended(entries);
  const shown: Row[] = [];
  let day = "";
  const push = (row: Exclude<Row, { is: "day" }>) => {
    const of = dayOf(row.at, now);
    if (of !== day) shown.push({ is: "day", key: `day ${of}`, text: of });
    day = of;
    shown.push(row);
  };
  for (const entry of entries) {
    const { body } = entry;
    if (body.kind === "amend" && ids.has(body.target)) continue;
    if (body.kind === "text" || body.kind === "file")
      push(message(entry, amendments.get(entry.id), chat.readByThem));
    else push({ is: "notice", key: entry.id, text: words(entry), at: entry.at, time: clock(entry.at) });
  }
  if (!chat.ready()) return shown;
  for (const item of chat.outbox.items()) {
    if (ids.has(item.id)) continue;
    const { progress, at, text } = item;
    const refused = complaint(item, chat);
    // Whatever the outbox hopes, nothing is being sent without a connection.
    const live = link.is === "live";
    const hoped = progress.is === "sending" && !live ? "waiting" : progress.is;
    const state = hoped === "failed" ? "refused" : hoped;
    const file = item.file && shownFile(item.file);
    if (file && state === "uploading") file.uploaded = Math.floor(100 * chat.uploaded(item.id));
    const line = lineOf(state, live, at);
    push({
      is: "message",
      key: item.id,
      author: "patient",
      name: "",
      text,
      file: file ?? null,
      retracted: false,
      at,
      line,
      state,
      read: false,
      refused,
    });
  }
  return shown;
}

function lineOf(state: Exclude<Message["state"], "received" | "sent">, live: boolean, at: number): string {
  if (state === "refused") return clock(at);
  if (state === "uploading") return live ? PROGRESS.uploading : PROGRESS.paused;
  return live ? PROGRESS.sending : PROGRESS[state];
}

/** What is wrong with one's own message. */
function complaint({ id, file, progress }: Outgoing, chat: Chat): Message["refused"] {
  if (progress.is === "failed") return { text: FAILED[progress.why], again: chat.has(id) };
  if (progress.is !== "refused") return null;
  if (file && progress.code === "not_found") return { text: LOST_FILE, again: chat.has(id) };
  return { text: REFUSED[progress.code], again: RETRY[progress.code] === "after_reading" };
}

function shownFile({ name, bytes, sha256, media_type }: NonNullable<Outgoing["file"]>): Shown {
  const picture = isPicture(media_type) ? media_type : null;
  return { name: shownName(name), bytes, sha256, picture, uploaded: null };
}

/** What each corrected message's author last made of it; null for one that was taken back. */
function amended(entries: Entry[]): Map<string, string | null> {
  const authors = new Map(entries.map((entry) => [entry.id, entry.author.id]));
  const texts = new Map<string, string | null>();
  for (const { author, body } of entries) {
    if (body.kind === "amend" && authors.get(body.target) === author.id) texts.set(body.target, body.text);
  }
  return texts;
}

function message(entry: Entry, amended: string | null | undefined, readByThem: number): Message {
  const mine = entry.author.role === "patient";
  const read = mine && entry.seq <= readByThem;
  const notes = [clock(entry.at)];
  if (typeof amended === "string") notes.push(AMENDED.corrected);
  if (mine) notes.push(read ? PROGRESS.read : PROGRESS.sent);
  return {
    is: "message",
    key: entry.id,
    author: entry.author.role,
    name: entry.author.name,
    text: amended === null ? AMENDED.retracted : (amended ?? words(entry)),
    file: entry.body.kind === "file" && amended !== null ? shownFile(entry.body) : null,
    retracted: amended === null,
    at: entry.at,
    line: notes.join(" · "),
    state: mine ? "sent" : "received",
    read,
    refused: null,
  };
}

/** What an entry says; a kind of a later version says it by its preview. */
function words({ body, preview }: Entry): string {
  return body.kind === "text" || body.kind === "wait" ? body.text : preview;
}

function clock(at: number): string {
  return new Date(at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
}

function dayOf(at: number, now: number): string {
  const date = new Date(at);
  const today = new Date(now);
  const yesterday = new Date(today.getFullYear(), today.getMonth(), today.getDate() - 1);
  if (date.toDateString() === today.toDateString()) return "Today";
  if (date.toDateString() === yesterday.toDateString()) return "Yesterday";
  const year = date.getFullYear() === today.getFullYear() ? undefined : "numeric";
  return date.toLocaleDateString([], { weekday: "long", day: "numeric", month: "long", year });
}
