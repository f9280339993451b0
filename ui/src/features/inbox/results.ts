import type { Conversation } from "../../bindings/Conversation";
import type { ConversationId } from "../../bindings/ConversationId";
import type { Found } from "../../bindings/Found";
import type { Hit } from "../../bindings/Hit";
import type { Seq } from "../../bindings/Seq";

/** A line of what was found: a patient, or an entry in its conversation; `beyond` if this computer doesn't keep it. */
export type Result =
  | { id: string; conversation: ConversationId; seq: null; beyond: false; talk: Conversation; hit: null }
  | { id: string; conversation: ConversationId; seq: Seq; beyond: boolean; talk: null; hit: Hit };

/** Patients first: somebody who types a name wants that person. What the server adds comes last, so that it moves nothing. */
export function resultsOf(found: Found | null): Result[] {
  if (!found) return [];
  const patients = found.patients.map((talk): Result => {
    return { id: `found-${talk.id}`, conversation: talk.id, seq: null, beyond: false, talk, hit: null };
  });
  const entry =
    (beyond: boolean) =>
    (hit: Hit): Result => {
      const { id, conversation, seq } = hit.entry;
      return { id: `found-${id}`, conversation, seq, beyond, talk: null, hit };
    };
  return [...patients, ...found.hits.map(entry(false)), ...found.beyond.hits.map(entry(true))];
}

/** Where the keys stand: with the result they were put on, wherever it is by now; else at the first. */
export function standing(results: readonly Result[], id: string | null): number {
  return Math.max(
    0,
    results.findIndex((result) => result.id === id),
  );
}
