import type { Found } from "../../bindings/Found";
import { plain } from "../../state/item";
import type { Talk } from "./talk";

/** Searches as the core does for plain words. */
export function found(talks: readonly Talk[], text: string, behind: number): Found {
  const words = text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
  const holds = (said: string) => {
    const there = said.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
    return words.length > 0 && words.every((word) => there.some((one) => one.startsWith(word)));
  };
  const hits = talks
    .flatMap((talk) =>
      talk.entries.map((entry) => ({
        entry,
        text: entry.body.kind === "file" ? entry.body.name : plain(entry.body),
        patient: talk.conversation.patient.name,
      })),
    )
    .filter((hit) => ["text", "note", "file"].includes(hit.entry.body.kind) && holds(hit.text))
    .sort((a, b) => b.entry.at - a.entry.at);
  const patients = talks.map((talk) => talk.conversation).filter(({ patient }) => holds(patient.name));
  const covers = { conversations: talks.length, since: null, behind, unindexed: 0 };
  const ignored = text.match(/\bfrom:(?!patient|clinic)\S+/g) ?? [];
  return { patients, hits: hits.slice(0, 50), more: hits.length > 50, words, ignored, covers };
}
