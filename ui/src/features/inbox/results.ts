import type { Conversation } from "../../bindings/Conversation";
import type { ConversationId } from "../../bindings/ConversationId";
import type { Found } from "../../bindings/Found";
import type { Hit } from "../../bindings/Hit";
import type { Seq } from "../../bindings/Seq";

/** A line of what was found: a patient, or an entry in its conversation. */
export type Result =
  | { id: string; conversation: ConversationId; seq: null; talk: Conversation; hit: null }
  | { id: string; conversation: ConversationId; seq: Seq; talk: null; hit: Hit };

/** Patients first: somebody who types a name wants that person. */
export function resultsOf(found: Found | null): Result[] {
  if (!found) return [];
  const patients = found.patients.map((talk): Result => {
    return { id: `found-${talk.id}`, conversation: talk.id, seq: null, talk, hit: null };
  });
  const hits = found.hits.map((hit): Result => {
    const { id, conversation, seq } = hit.entry;
    return { id: `found-${id}`, conversation, seq, talk: null, hit };
  });
  return [...patients, ...hits];
}
