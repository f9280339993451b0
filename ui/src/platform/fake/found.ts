import type { Found } from "../../bindings/Found";
import { plain } from "../../state/item";
import type { FakeBeyond } from "./beyond";
import type { Talk } from "./talk";

/** Searches as the core does for plain words. */
export function found(talks: readonly Talk[], text: string, behind: number, beyond: FakeBeyond): Found {
  const words = text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
  const holds = (said: string) => {
    const there = said.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
    return words.length > 0 && words.every((word) => there.some((one) => one.startsWith(word)));
  };
  const all = talks
    .flatMap((talk) =>
      talk.entries.map((entry) => ({
        entry,
        text: entry.body.kind === "file" ? entry.body.name : plain(entry.body),
        patient: talk.conversation.patient.name,
        kept: talk.kept && entry.seq >= talk.keptFrom,
      })),
    )
    .filter((hit) => ["text", "note", "file"].includes(hit.entry.body.kind) && holds(hit.text))
    .sort((a, b) => b.entry.at - a.entry.at);
  const where = (here: boolean) =>
    all.filter(({ kept }) => kept === here).map(({ entry, text, patient }) => ({ entry, text, patient }));
  const [hits, others] = [where(true), where(false)];
  const known = talks.filter(({ kept }) => kept);
  const patients = known.map((talk) => talk.conversation).filter(({ patient }) => holds(patient.name));
  const since = Math.max(
    ...known.map((talk) => (talk.keptFrom > 1 ? (talk.entries[talk.keptFrom - 1]?.at ?? 0) : 0)),
  );
  const covers = { conversations: known.length, since: since || null, behind, unindexed: 0 };
  const ignored = text.match(/\bfrom:(?!patient|clinic)\S+/g) ?? [];
  return {
    patients,
    hits: hits.slice(0, 50),
    more: hits.length > 50,
    words,
    ignored,
    covers,
    beyond: beyond.adds(text, others.slice(0, 50)),
  };
}
