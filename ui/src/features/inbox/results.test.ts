import { expect, test } from "vitest";
import type { Beyond } from "../../bindings/Beyond";
import type { Found } from "../../bindings/Found";
import type { Reach } from "../../bindings/Reach";
import { reachOfSearchWords } from "../../parts/searchWords";
import { conversation, entry } from "../../state/fixtures";
import { resultsOf, standing } from "./results";

const hit = (seq: number) => ({ entry: entry(seq), text: `words ${seq}`, patient: "Martha Ellison" });

const found = (kept: number[], beyond: number[]): Found => ({
  patients: [conversation("c-300")],
  hits: kept.map(hit),
  more: false,
  words: [],
  ignored: [],
  covers: { conversations: 1, since: null, behind: 0, unindexed: 0 },
  beyond: { hits: beyond.map(hit), reach: { reach: "asking" } } satisfies Beyond,
});

test("what the server adds comes after what is here, and moves neither that nor the keys", () => {
  const before = resultsOf(found([9, 8], []));
  const after = resultsOf(found([9, 8], [3, 2]));
  expect(after.slice(0, before.length)).toEqual(before);
  expect(after.map(({ beyond }) => beyond)).toEqual([false, false, false, true, true]);
  expect(standing(before, "found-e-8")).toBe(2);
  expect(standing(after, "found-e-8")).toBe(2);
  // What has come here meanwhile goes up to the others, and the keys with it.
  expect(standing(resultsOf(found([9, 8, 3], [2])), "found-e-3")).toBe(3);
  expect(standing(after, null)).toBe(0);
  expect(standing(after, "found-e-77")).toBe(0);
});

const NOW = new Date(2026, 10, 22, 14, 10).getTime();
const MAY = new Date(2026, 4, 3, 9, 0).getTime();

test.each<[Reach, number, RegExp, boolean]>([
  [{ reach: "asking" }, 0, /^Asking the server/, false],
  [{ reach: "offline" }, 0, /^Offline: .*once the server is reached/, false],
  [{ reach: "silent" }, 0, /did not answer: .* not searched/, true],
  [{ reach: "refused", code: "forbidden" }, 0, /may not search/, true],
  [{ reach: "refused", code: "too_large" }, 0, /only this computer was searched/, false],
  [{ reach: "unread" }, 0, /is:unread searches this computer alone/, false],
  [
    { reach: "answered", back_to: null, unindexed: 0 },
    0,
    /^The server found nothing that is not here$/,
    false,
  ],
  [
    { reach: "answered", back_to: MAY, unindexed: 2 },
    3,
    /^3 messages from the server; there is more from before .*May.*; 2 messages not searched yet$/,
    false,
  ],
])("the server's part says what it covers: %#", (reach, hits, words, again) => {
  const said = reachOfSearchWords(reach, hits, NOW);
  expect(said.words).toMatch(words);
  expect(said.again).toBe(again);
});
