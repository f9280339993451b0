import { describe, expect, it } from "vitest";
import { all, conversation, DOCTOR, entry, NOON, PATIENT, TALK, welcome, World } from "./cast";
import { fresh } from "./kept";
import type { ClientFrame, Entry } from "./wire";

const events = (frames: ClientFrame[]) => frames.map((frame) => frame.event);
const sends = (frames: ClientFrame[]) => frames.flatMap((f) => (f.event === "send" ? [f.data] : []));
const seqs = (world: World) => world.chat.log.entries().map((entry) => entry.seq);

/** The entry that a `send` becomes. */
const committed = (seq: number, id: string, text: string): Entry =>
  entry(seq, { id, author: PATIENT, body: { kind: "text", text } });

describe("catching up", () => {
  it("asks for the changes, then for the newest page, and is caught up", () => {
    const world = new World();
    world.chat.welcome(welcome());
    expect(world.taken()).toEqual([{ event: "changes", data: { since: 0 } }]);
    world.chat.changes({ since: 0, rev: 3, more: false, conversations: [conversation(3)] });
    expect(world.out).toEqual([{ event: "entries", data: { conversation: TALK, from: 1, to: 3 } }]);
    expect(world.chat.caughtUp()).toBe(false);
    world.answer(all);
    expect(seqs(world)).toEqual([1, 2, 3]);
    expect(world.chat.caughtUp()).toBe(true);
  });

  it("fills a gap that an entry shows, and shows nothing twice", () => {
    const world = new World().connect(1);
    world.answer(all);
    world.taken();
    world.chat.entry({ entry: entry(4), conversation: conversation(4) });
    expect(seqs(world)).toEqual([1]);
    expect(world.out).toEqual([{ event: "entries", data: { conversation: TALK, from: 2, to: 4 } }]);
    world.answer(all);
    world.chat.entry({ entry: entry(4), conversation: conversation(4) });
    expect(seqs(world)).toEqual([1, 2, 3, 4]);
  });

  it("learns from a heartbeat that something was lost", () => {
    const world = new World().connect(1);
    world.answer(all);
    world.taken();
    world.chat.heartbeat({ rev: 1, now: NOON });
    expect(world.taken()).toEqual([]);
    world.chat.heartbeat({ rev: 9, now: NOON });
    expect(world.taken()).toEqual([{ event: "changes", data: { since: 1 } }]);
  });

  it("asks again when no answer comes, and when the server asks for time", () => {
    const world = new World().connect(5);
    world.taken();
    world.clock += 10_000;
    world.chat.tick();
    expect(events(world.taken())).toEqual(["entries"]);
    world.chat.rejected({ of: "entries", code: "rate_limited", message: "", retry_after_ms: 200 });
    world.chat.tick();
    expect(world.taken()).toEqual([]);
    world.clock += 200;
    world.chat.tick();
    expect(events(world.taken())).toEqual(["entries"]);
  });

  it("goes on to older pages until there is something to see", () => {
    const world = new World().connect(500);
    world.answer(all);
    world.chat.earlier();
    world.answer(() => []);
    expect(world.out.at(-1)).toMatchObject({ data: { from: 1, to: 100 } });
    world.answer(all);
    expect(seqs(world).slice(0, 2)).toEqual([1, 2]);
    expect(world.chat.log.older()).toBeNull();
  });

  it("ignores what belongs to another conversation", () => {
    const world = new World().connect(0);
    const other = { ...conversation(1), id: "conversation-eve" };
    world.chat.entry({ entry: { ...entry(1), conversation: other.id }, conversation: other });
    world.chat.entries({ conversation: other.id, from: 1, to: 1, head: 1, entries: [entry(1)] });
    expect(seqs(world)).toEqual([]);
  });

  it("starts anew when the clinic's counter went back", () => {
    const world = new World().connect(3);
    world.answer(all);
    world.chat.lost();
    world.chat.welcome(welcome({ rev: 2 }));
    expect(seqs(world)).toEqual([]);
  });
});

describe("writing", () => {
  it("keeps a message before it sends it, and settles it by its entry alone", () => {
    const world = new World().connect(0);
    world.taken();
    expect(world.chat.write("hello")).toBeNull();
    expect(world.kept.outbox).toMatchObject([{ text: "hello", progress: { is: "sending" } }]);
    const [send] = sends(world.out);
    expect(send).toMatchObject({ conversation: TALK, seen: 0, body: { kind: "text", text: "hello" } });
    expect(send?.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    world.chat.entry({ entry: committed(1, send?.id ?? "", "hello"), conversation: conversation(1) });
    expect(world.kept.outbox).toEqual([]);
    expect(seqs(world)).toEqual([1]);
  });

  it("says what is in view: the newest entry known", () => {
    const world = new World().connect(7);
    world.answer(all);
    world.chat.write("hello");
    expect(sends(world.out)[0]?.seen).toBe(7);
  });

  it("sends with the same id after a reload, and only after the changes", () => {
    const before = new World().connect(0);
    before.chat.write("hello");
    const id = sends(before.taken())[0]?.id;

    const after = new World(before.kept);
    expect(after.chat.ready()).toBe(true);
    expect(after.chat.outbox.items()).toMatchObject([{ id, progress: { is: "waiting" } }]);
    after.chat.welcome(welcome());
    expect(sends(after.out)).toEqual([]);
    after.chat.changes({ since: 0, rev: 0, more: false, conversations: [conversation(0)] });
    expect(sends(after.out)).toMatchObject([{ id }]);
  });

  it("settles what had arrived before the reload by the page that holds it", () => {
    const before = new World().connect(0);
    before.chat.write("hello");
    const id = sends(before.taken())[0]?.id ?? "";
    const after = new World(before.kept).connect(1);
    after.answer(() => [committed(1, id, "hello")]);
    expect(after.kept.outbox).toEqual([]);
    expect(seqs(after)).toEqual([1]);
  });

  it("settles what is committed but older than what is shown", () => {
    const before = new World().connect(0);
    before.chat.write("hello");
    const id = sends(before.taken())[0]?.id ?? "";
    const after = new World(before.kept).connect(400);
    after.answer(all);
    after.chat.entry({ entry: committed(2, id, "hello"), conversation: conversation(400) });
    expect(after.kept.outbox).toEqual([]);
  });

  it("refuses what is too long before it is kept, and loses nothing", () => {
    const world = new World().connect(0);
    world.chat.typed("ä".repeat(51));
    expect(world.chat.write("ä".repeat(51))).toBe("too_large");
    expect(world.kept).toMatchObject({ outbox: [], draft: "ä".repeat(51) });
  });

  it("never sends another person's messages", () => {
    const before = new World().connect(0);
    before.chat.lost();
    before.chat.write("private");
    const after = new World({ ...before.kept, token: "another's", confirmed: false });
    expect(after.chat.ready()).toBe(false);
    after.chat.welcome(welcome({ me: { ...PATIENT, id: "patient-eve", clinic: "clinic" } }));
    after.chat.changes({ since: 0, rev: 0, more: false, conversations: [conversation(0)] });
    expect(sends(after.out)).toEqual([]);
    expect(after.kept).toMatchObject({ owner: "patient-eve", outbox: [], draft: "" });
  });

  it("keeps what waits for the same person's new link", () => {
    const before = new World().connect(0);
    before.chat.lost();
    before.chat.write("mine");
    const after = new World({ ...before.kept, token: "new", confirmed: false }).connect(0);
    expect(sends(after.out)).toMatchObject([{ body: { text: "mine" } }]);
  });

  it("can't write before it knows whose conversation it is", () => {
    expect(new World(fresh("token", "device")).chat.ready()).toBe(false);
  });
});

describe("attaching", () => {
  const photo = new Blob(["abc"]);
  const files = (world: World) =>
    sends(world.taken()).flatMap(({ id, body }) => (body.kind === "file" ? [{ id, ...body }] : []));
  const settle = () => new Promise((done) => setTimeout(done));

  it("uploads first, then sends what was uploaded", async () => {
    const world = new World().connect(0);
    expect(world.chat.attach("rash.jpg", "image/jpeg", photo)).toBeNull();
    expect(files(world)).toEqual([]);
    const [upload] = world.uploads;
    expect(upload?.bytes).toBe(photo);
    upload?.sent(2);
    const id = world.chat.outbox.items()[0]?.id ?? "";
    expect(world.chat.uploaded(id)).toBeCloseTo(2 / 3);
    upload?.end({ sha256: "d1" });
    await settle();
    const file = { kind: "file", name: "rash.jpg", media_type: "image/jpeg", bytes: 3, sha256: "d1" };
    expect(files(world)).toEqual([{ id, ...file }]);
    const { kind: _, ...kept } = file;
    expect(world.kept.outbox).toMatchObject([{ id, file: kept }]);
    world.chat.entry({ entry: entry(1, { id, author: PATIENT }), conversation: conversation(1) });
    expect(world.kept.outbox).toEqual([]);
    expect(world.chat.has(id)).toBe(false);
  });

  it("lets no text wait for an upload, and uploads one after the other", async () => {
    const world = new World().connect(0);
    world.chat.attach("a.png", "image/png", photo);
    world.chat.attach("b.png", "image/png", photo);
    world.chat.write("hello");
    expect(sends(world.taken())).toMatchObject([{ body: { text: "hello" } }]);
    expect(world.uploads.length).toBe(1);
    world.uploads[0]?.end({ fault: "busy" });
    await settle();
    expect(world.uploads.length).toBe(2);
  });

  it("says what failed, and tries again when told to; after a lost connection by itself", async () => {
    const world = new World().connect(0);
    world.chat.attach("a.png", "", photo);
    const id = world.chat.outbox.items()[0]?.id ?? "";
    for (const fault of ["busy", "denied"] as const) {
      world.uploads.at(-1)?.end({ fault });
      await settle();
      expect(world.chat.outbox.items()).toMatchObject([{ progress: { is: "failed", why: fault } }]);
      expect(world.chat.outbox.unsent()).toBe(0);
      world.chat.again(id);
    }
    world.chat.lost();
    world.uploads.at(-1)?.end({ fault: "network" });
    await settle();
    const tries = world.uploads.length;
    world.connect(0);
    expect(world.uploads.length).toBe(tries + 1);
  });

  it("uploads anew what the server has forgotten, with the same id", async () => {
    const world = new World().connect(0);
    world.chat.attach("a.png", "", photo);
    world.uploads[0]?.end({ sha256: "d1" });
    await settle();
    const [first] = files(world);
    world.chat.rejected({ of: "send", id: first?.id ?? "", code: "not_found", message: "" });
    world.chat.again(first?.id ?? "");
    world.uploads[1]?.end({ sha256: "d1" });
    await settle();
    expect(files(world)).toEqual([first]);
  });

  it("keeps an uploaded file's message over a reload, and says that other bytes are gone", async () => {
    const before = new World().connect(0);
    before.chat.attach("up.png", "", photo);
    before.uploads[0]?.end({ sha256: "d1" });
    await settle();
    before.chat.attach("half.png", "", photo);
    const after = new World(before.kept);
    expect(after.chat.outbox.items().map(({ progress }) => progress)).toEqual([
      { is: "waiting" },
      { is: "failed", why: "gone" },
    ]);
    after.connect(0);
    expect(after.uploads).toEqual([]);
    expect(files(after)).toMatchObject([{ name: "up.png" }]);
  });

  it("stops an upload that is thrown away", async () => {
    const world = new World().connect(0);
    world.chat.attach("a.png", "", photo);
    world.chat.discard(world.chat.outbox.items()[0]?.id ?? "");
    expect(world.uploads[0]?.stop.aborted).toBe(true);
    world.uploads[0]?.end({ sha256: "d1" });
    await settle();
    expect([world.chat.outbox.items(), files(world)]).toEqual([[], []]);
  });

  it("refuses what is too large, and everything where no files are taken", () => {
    const world = new World().connect(0);
    expect(world.chat.attach("a", "", new Blob(["x".repeat(1_001)]))).toBe("too_large");
    const { file_bytes: _, ...limits } = welcome().limits;
    world.chat.welcome(welcome({ limits }));
    expect(world.chat.attach("a", "", photo)).toBe("forbidden");
    expect(world.chat.outbox.items()).toEqual([]);
  });

  it("never uploads another person's files", async () => {
    const world = new World().connect(0);
    world.chat.lost();
    world.chat.attach("private.png", "", photo);
    world.chat.welcome(welcome({ me: { ...PATIENT, id: "patient-eve", clinic: "clinic" } }));
    world.chat.changes({ since: 0, rev: 0, more: false, conversations: [conversation(0)] });
    expect([world.uploads, world.chat.outbox.items()]).toEqual([[], []]);
  });
});

describe("reading and typing", () => {
  it("marks as read once, again after a reconnect while the server's mark is smaller", () => {
    const world = new World().connect(2);
    world.answer(all);
    world.taken();
    world.chat.inView();
    world.chat.inView();
    expect(world.taken()).toEqual([{ event: "read", data: { conversation: TALK, upto: 2 } }]);
    world.chat.lost();
    world.connect(2).taken();
    world.chat.inView();
    expect(events(world.taken())).toEqual(["read"]);
    world.chat.conversation({ conversation: conversation(2, { [PATIENT.id]: 2 }) });
    world.chat.inView();
    expect(world.taken()).toEqual([]);
  });

  it("knows how far a provider has read, from summaries and receipts; the greatest wins", () => {
    const world = new World().connect(3);
    world.chat.receipt({ conversation: TALK, upto: 3 });
    world.chat.conversation({ conversation: conversation(3, { [DOCTOR.id]: 2, [PATIENT.id]: 3 }) });
    expect(world.chat.readByThem).toBe(3);
  });

  it("says that it is writing at most every 3 s", () => {
    const world = new World().connect(0);
    world.taken();
    world.chat.typed("h");
    world.clock += 2_999;
    world.chat.typed("he");
    world.clock += 1;
    world.chat.typed("hel");
    world.clock += 3_000;
    world.chat.typed("");
    expect(events(world.taken())).toEqual(["typing", "typing"]);
  });

  it("shows who is writing, by the server's clock, until the message or the time is there", () => {
    const world = new World();
    world.clock = NOON + 60_000;
    world.connect(0);
    const typing = { conversation: TALK, who: DOCTOR, until: NOON + 4_000 };
    world.chat.typing(typing);
    expect(world.chat.writer).toMatchObject({ name: DOCTOR.name, until: NOON + 64_000 });
    world.clock += 4_000;
    world.chat.tick();
    expect(world.chat.writer).toBeNull();
    world.chat.typing({ ...typing, until: NOON + 9_000 });
    world.chat.entry({ entry: entry(1), conversation: conversation(1) });
    expect(world.chat.writer).toBeNull();
  });
});
