import { describe, expect, it } from "vitest";
import { all, entry } from "./cast";
import { Log } from "./log";

const seqs = (log: Log) => log.entries().map((entry) => entry.seq);

describe("the log", () => {
  it("fetches the newest page first, then forwards", () => {
    const log = new Log();
    log.head(500);
    expect(log.missing()).toEqual({ from: 301, to: 500 });
    log.range({ from: 301, to: 500 }, all(301, 500));
    expect(log.missing()).toBeNull();
    log.head(950);
    expect(log.missing()).toEqual({ from: 501, to: 700 });
    log.range({ from: 501, to: 700 }, all(501, 700));
    expect(log.missing()).toEqual({ from: 701, to: 900 });
  });

  it("goes back page by page to the first entry", () => {
    const log = new Log();
    log.head(250);
    log.range({ from: 51, to: 250 }, all(51, 250));
    expect(log.older()).toEqual({ from: 1, to: 50 });
    log.range({ from: 1, to: 50 }, all(1, 50));
    expect(log.older()).toBeNull();
    expect(seqs(log)).toEqual(all(1, 250).map((entry) => entry.seq));
  });

  it("takes what follows, also over entries that patients don't see", () => {
    const log = new Log();
    expect(log.live(entry(2, { prev: 0 }))).toBe(true);
    expect(log.live(entry(7, { prev: 2 }))).toBe(true);
    expect(seqs(log)).toEqual([2, 7]);
    expect(log.complete()).toBe(true);
  });

  it("leaves out what comes after a gap, and names the gap", () => {
    const log = new Log();
    log.live(entry(1, { prev: 0 }));
    expect(log.live(entry(5, { prev: 4 }))).toBe(false);
    expect(seqs(log)).toEqual([1]);
    expect(log.missing()).toEqual({ from: 2, to: 5 });
    log.range({ from: 2, to: 5 }, [entry(4, { prev: 1 }), entry(5)]);
    expect(seqs(log)).toEqual([1, 4, 5]);
  });

  it("holds each entry once, in order, however often and late it comes", () => {
    const log = new Log();
    log.head(3);
    log.range({ from: 1, to: 3 }, [entry(3), entry(1), entry(2)]);
    expect(log.live(entry(2))).toBe(true);
    log.range({ from: 2, to: 3 }, all(2, 3));
    expect(seqs(log)).toEqual([1, 2, 3]);
  });

  it("knows a server without prev by its dense numbers", () => {
    const log = new Log();
    const { prev: _, ...first } = entry(1);
    const { prev: __, ...third } = entry(3);
    expect(log.live(first)).toBe(true);
    expect(log.live(third)).toBe(false);
  });

  it("ignores an answer that no longer touches what it knows", () => {
    const log = new Log();
    log.range({ from: 10, to: 20 }, all(10, 20));
    log.range({ from: 1, to: 5 }, all(1, 5));
    log.range({ from: 30, to: 35 }, all(30, 35));
    expect(seqs(log)).toEqual(all(10, 20).map((entry) => entry.seq));
  });
});
