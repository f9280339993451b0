import type { ConversationId } from "../bindings/ConversationId";
import type { InboxRow } from "../bindings/InboxRow";

/** The order that somebody is reading. */
export type Held = readonly ConversationId[];

export interface Arranged {
  rows: readonly InboxRow[];
  /** How many rows would come or move. */
  pending: number;
}

const idOf = (row: InboxRow) => row.conversation.id;

/** Nobody reads an empty list: it isn't held. */
export const hold = (rows: readonly InboxRow[]): Held | null => (rows.length > 0 ? rows.map(idOf) : null);

/** The rows in the held order, each as it is now; what is new stays out until it is let go. */
export function arrange(rows: readonly InboxRow[], held: Held | null): Arranged {
  if (!held) return { rows, pending: 0 };
  const now = new Map(rows.map((row) => [idOf(row), row]));
  const kept = held.flatMap((id) => now.get(id) ?? []);
  const place = new Map(kept.map((row, i) => [idOf(row), i]));
  const places = rows.flatMap((row) => place.get(idOf(row)) ?? []);
  return { rows: kept, pending: rows.length - longestRising(places) };
}

/** How many of the numbers can stay where they are, at most, when the others are moved so that all rise. */
function longestRising(numbers: readonly number[]): number {
  // The smallest number that a rising run of each length can end with.
  const ends: number[] = [];
  for (const n of numbers) {
    let [low, high] = [0, ends.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((ends[middle] ?? Infinity) < n) low = middle + 1;
      else high = middle;
    }
    ends[low] = n;
  }
  return ends.length;
}
