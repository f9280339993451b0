import type { ConversationId } from "../bindings/ConversationId";
import type { InboxRow } from "../bindings/InboxRow";
import type { Seq } from "../bindings/Seq";

/** The order that somebody is reading, and how far each conversation went in it. */
export type Held = ReadonlyMap<ConversationId, Seq>;

export interface Arranged {
  rows: readonly InboxRow[];
  /** Whether letting go would move a row. */
  moves: boolean;
  /** How many conversations have something new since. */
  fresh: number;
}

/** Nobody reads an empty list: it isn't held. */
export function hold(rows: readonly InboxRow[]): Held | null {
  if (rows.length === 0) return null;
  return new Map(rows.map(({ conversation: { id, head } }) => [id, head]));
}

/** The rows in the held order, each as it is now; what is new stays out until it is let go. */
export function arrange(rows: readonly InboxRow[], held: Held | null): Arranged {
  if (!held) return { rows, moves: false, fresh: 0 };
  const now = new Map(rows.map((row) => [row.conversation.id, row]));
  const kept = [...held.keys()].flatMap((id) => now.get(id) ?? []);
  const moves = kept.length !== rows.length || kept.some((row, i) => row !== rows[i]);
  const fresh = rows.filter(({ conversation: { id, head, last } }) => {
    const before = held.get(id);
    return before === undefined || (head > before && last?.author.role === "patient");
  });
  return { rows: kept, moves, fresh: fresh.length };
}
