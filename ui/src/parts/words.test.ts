import { expect, test } from "vitest";
import type { Code } from "../bindings/Code";
import type { Connection } from "../bindings/Connection";
import type { Failure } from "../bindings/Failure";
import type { History } from "../bindings/History";
import type { Link } from "../bindings/Link";
import { byteLength, fileSize } from "./size";
import { historyWords } from "./cacheWords";
import { adviceWords, codeWords, failureWords, linkWords, obstacleWords } from "./words";

const NOW = new Date(2026, 10, 22, 14, 10).getTime();
const SINCE = new Date(2026, 10, 22, 14, 7).getTime();

const connection = (link: Link, waiting = 0): Connection => ({
  account: null,
  link,
  catching_up: 0,
  waiting,
  refused: 0,
  history: null,
  vault: { vault: "open", keeper: "keychain", opener: null, idle_minutes: 10 },
  repaired: null,
});

test.each<[Link, number, string]>([
  [{ link: "live", since: 0 }, 0, "Online"],
  [{ link: "live", since: 0 }, 2, "Online, 2 replies wait"],
  [{ link: "connecting", since: null }, 0, "Connecting…"],
  [{ link: "connecting", since: SINCE }, 0, "Connecting… no network since 14:07"],
  [
    { link: "offline", since: SINCE, next_try: NOW, trouble: "closed" },
    1,
    "Offline since 14:07: reading the cache, 1 reply waits",
  ],
  [{ link: "paused", since: SINCE }, 0, "Working offline since 14:07: reading the cache"],
  [
    { link: "refused", code: "revoked" },
    0,
    "Signed off by the server. The access was taken away by the clinic.",
  ],
])("the connection: %#", (link, waiting, words) => {
  expect(linkWords(connection(link, waiting), NOW)).toBe(words);
});

test.each<[History, string]>([
  [{ held: 999, all: 1000, paused: null }, "Keeping earlier messages for offline: 99 %"],
  [
    { held: 45, all: 100, paused: "metered" },
    "Earlier messages for offline: 45 %, paused: this connection is metered",
  ],
  [
    { held: 45, all: 100, paused: "low_battery" },
    "Earlier messages for offline: 45 %, paused: the battery is low",
  ],
  [{ held: 45, all: 100, paused: "full" }, "Earlier messages for offline: 45 %, paused: no more may be kept"],
])("history: %#", (history, words) => {
  expect(historyWords(history)).toBe(words);
});

test("codes of a later version get words too", () => {
  expect(failureWords({ failure: "eclipse" } as unknown as Failure)).toContain("eclipse");
  expect(codeWords("eclipse" as Code)).toContain("eclipse");
  expect(adviceWords("eclipse" as Code)).toContain("eclipse");
});

test("why a file isn't attached", () => {
  expect(obstacleWords({ failure: "bad_file", file_bytes: 20_971_520 })).toContain("21 MB at most");
  expect(obstacleWords({ failure: "too_many_files", most: 10 })).toContain("10 files");
  expect(obstacleWords({ failure: "empty_file" })).toBe("It is empty.");
  expect(obstacleWords({ failure: "unreadable_file" })).toContain("folder");
});

test("text is weighed in bytes, files in what people read", () => {
  expect(byteLength("é🩺")).toBe(6);
  expect([999, 1_000, 184_320, 999_499, 999_600, 2_400_000].map(fileSize)).toEqual([
    "999 bytes",
    "1.0 kB",
    "184 kB",
    "999 kB",
    "1.0 MB",
    "2.4 MB",
  ]);
});
