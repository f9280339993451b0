import type { ConversationHead } from "../../bindings/ConversationHead";
import type { Entry } from "../../bindings/Entry";
import type { InboxRow } from "../../bindings/InboxRow";
import type { Item } from "../../bindings/Item";
import type { Talk } from "./talk";

export interface Shown {
  head: ConversationHead;
  items: Item[];
}

/** A conversation as it is watched: its head, and its newest items. */
export function shown(talk: Talk, newest: number): Shown {
  return part(talk, talk.entries.slice(Math.max(talk.keptFrom - 1, talk.entries.length - newest)));
}

/** A conversation's head, and these of its entries. */
export function part(talk: Talk, entries: Entry[]): Shown {
  const newer = (entries.at(-1)?.seq ?? 0) < talk.entries.length;
  const items: Item[] = [
    ...entries.map((entry) => ({ item: "entry" as const, entry })),
    ...(newer ? [] : talk.outgoing).map((outgoing) => ({ item: "outgoing" as const, outgoing })),
  ];
  const head = {
    conversation: talk.conversation,
    draft: talk.draft,
    cursor: talk.cursor,
    files: talk.files,
    read_upto: talk.readUpto,
    loaded_upto: talk.conversation.head,
    older: (entries[0]?.seq ?? 1) > 1,
    newer,
    kept: talk.kept,
    catching_up: false,
    typing: talk.typing,
  };
  return { head, items };
}

/** The inbox: who waits longest first, then who was heard of last. */
export function rows(talks: readonly Talk[]): InboxRow[] {
  const order = ({ conversation: c }: Talk) => c.waiting_since ?? 1e15 - (c.last?.at ?? 0);
  return talks
    .filter(({ kept }) => kept)
    .sort((a, b) => order(a) - order(b))
    .map((talk) => ({
      conversation: talk.conversation,
      unread: talk.entries.filter(({ seq, author }) => author.role === "patient" && seq > talk.readUpto)
        .length,
      draft: talk.draft !== "" || talk.files.length > 0,
      outgoing: talk.outgoing.at(-1) ?? null,
    }));
}
