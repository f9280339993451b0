import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Query } from "../bindings/Query";
import type { Update } from "../bindings/Update";
import type { Platform } from "../platform";
import { SNAPSHOT_MS, Watches } from "./watches";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const OUTBOX: Query = { query: "outbox" };
const INBOX: Query = { query: "inbox" };

/** A host that records the sets, and answers nothing by itself. */
function host() {
  const sets: string[][] = [];
  let listener: (update: Update) => void = () => {};
  const platform: Platform = {
    call: () => Promise.reject(),
    attach: () => Promise.reject(),
    fileUrl: () => "",
    saveFile: () => Promise.reject(),
    openLink: () => Promise.reject(),
    async watch(queries, to) {
      sets.push(queries.map(({ query }) => query));
      listener = to;
    },
  };
  const send = (query: Query, revision: number) =>
    listener({ query, revision, patch: { patch: "outbox", rows: { at: 0, remove: 0, insert: [] } } });
  return { platform, sets, send };
}

const settle = () => vi.advanceTimersByTimeAsync(0);

/** Joins `query`, writing each applied update down: a snapshot in brackets. */
function follow(watches: Watches, query: Query, fits = () => true) {
  const seen: string[] = [];
  const leave = watches.join(query, (_, snapshot) => {
    if (fits()) seen.push(snapshot ? "[S]" : "+");
    return fits();
  });
  return { seen, leave };
}

test("joins of one moment are one call", async () => {
  const { platform, sets } = host();
  const watches = new Watches(platform);
  follow(watches, OUTBOX);
  follow(watches, INBOX);
  await settle();
  expect(sets).toEqual([["outbox", "inbox"]]);
});

test("applies a snapshot and what follows it", async () => {
  const { platform, send } = host();
  const { seen } = follow(new Watches(platform), OUTBOX);
  await settle();
  for (const revision of [1, 2, 3]) send(OUTBOX, revision);
  expect(seen).toEqual(["[S]", "+", "+"]);
});

test("before its snapshot, hears nothing of an earlier watch", async () => {
  const { platform, send } = host();
  const { seen } = follow(new Watches(platform), OUTBOX);
  await settle();
  for (const revision of [7, 8, 1, 2]) send(OUTBOX, revision);
  expect(seen).toEqual(["[S]", "+"]);
});

test("a gap leaves and joins again", async () => {
  const { platform, sets, send } = host();
  const { seen } = follow(new Watches(platform), OUTBOX);
  await settle();
  send(OUTBOX, 1);
  send(OUTBOX, 3);
  send(OUTBOX, 4);
  await settle();
  expect(sets).toEqual([["outbox"], [], ["outbox"]]);
  send(OUTBOX, 1);
  send(OUTBOX, 2);
  expect(seen).toEqual(["[S]", "[S]", "+"]);
});

test("a patch that doesn't fit is a gap", async () => {
  const { platform, sets, send } = host();
  let fits = true;
  follow(new Watches(platform), OUTBOX, () => fits);
  await settle();
  send(OUTBOX, 1);
  fits = false;
  send(OUTBOX, 2);
  await settle();
  expect(sets).toEqual([["outbox"], [], ["outbox"]]);
});

test("a query joined again gets a new snapshot, even before the host heard that it was left", async () => {
  const { platform, sets, send } = host();
  const watches = new Watches(platform);
  const first = follow(watches, OUTBOX);
  await settle();
  send(OUTBOX, 1);
  first.leave();
  const second = follow(watches, OUTBOX);
  await settle();
  expect(sets).toEqual([["outbox"], [], ["outbox"]]);
  send(OUTBOX, 2);
  send(OUTBOX, 1);
  expect(first.seen).toEqual(["[S]"]);
  expect(second.seen).toEqual(["[S]"]);
});

test("a snapshot that never comes is asked for again", async () => {
  const { platform, sets, send } = host();
  const { seen } = follow(new Watches(platform), OUTBOX);
  await settle();
  await vi.advanceTimersByTimeAsync(SNAPSHOT_MS);
  expect(sets).toEqual([["outbox"], [], ["outbox"]]);
  send(OUTBOX, 1);
  await vi.advanceTimersByTimeAsync(10 * SNAPSHOT_MS);
  expect(sets).toHaveLength(3);
  expect(seen).toEqual(["[S]"]);
});

test("one leaving doesn't take the other's watch away", async () => {
  const { platform, sets } = host();
  const watches = new Watches(platform);
  const first = follow(watches, OUTBOX);
  follow(watches, OUTBOX);
  first.leave();
  await settle();
  expect(sets.at(-1)).toEqual(["outbox"]);
});
