import { describe, expect, it } from "vitest";
import { all, conversation, entry, NOON, PATIENT, World } from "./cast";
import type { Link } from "./link";
import { rows, type Row } from "./rows";

const live = { is: "live" } as Link;
const show = (world: World, link = live): Row[] => rows(world.chat, link, NOON);
const messages = (world: World, link = live) => show(world, link).filter((row) => row.is === "message");

function world(...entries: ReturnType<typeof entry>[]): World {
  const made = new World().connect(entries.length);
  if (entries.length > 0) made.answer(() => entries);
  return made;
}

describe("the rows", () => {
  it("put a line before each day", () => {
    const day = 24 * 3_600_000;
    const made = world(entry(1, { at: NOON - day }), entry(2), entry(3));
    expect(show(made).map((row) => (row.is === "day" ? row.text : row.is))).toEqual([
      "Yesterday",
      "message",
      "Today",
      "message",
      "message",
    ]);
  });

  it("show a correction on the message that it corrects, and only its author's", () => {
    const made = world(
      entry(1),
      entry(2),
      entry(3),
      entry(4, { body: { kind: "amend", target: "entry-1", text: "better" } }),
      entry(5, { body: { kind: "amend", target: "entry-2", text: null } }),
      entry(6, { author: PATIENT, body: { kind: "amend", target: "entry-3", text: "mine" } }),
    );
    expect(messages(made)).toMatchObject([
      { text: "better", retracted: false },
      { text: "This message was taken back.", retracted: true },
      { text: "text 3" },
    ]);
  });

  it("show the wait, a correction of what isn't loaded and unknown kinds as notices", () => {
    const unknown = { kind: "poll", question: "?" } as unknown as ReturnType<typeof entry>["body"];
    const made = world(
      entry(1, { body: { kind: "wait", minutes: 5, text: "About 5 minutes" } }),
      entry(2, { body: { kind: "amend", target: "elsewhere", text: "x" }, preview: "Corrected: x" }),
      entry(3, { body: unknown, preview: "A poll" }),
    );
    const notices = show(made).flatMap((row) => (row.is === "notice" ? [row.text] : []));
    expect(notices).toEqual(["About 5 minutes", "Corrected: x", "A poll"]);
  });

  it("show a file by its harmless name, pictures as such, and nothing of one that was taken back", () => {
    const file = (name: string, media_type: string) => ({
      body: { kind: "file" as const, sha256: "d1", name, media_type, bytes: 9 },
    });
    const back = { kind: "amend" as const, target: "entry-3", text: null };
    const made = world(
      entry(1, file("x\u202efdp.exe", "application/pdf")),
      entry(2, file("rash.jpg", "image/jpeg")),
      entry(3, file("wrong.png", "image/png")),
      entry(4, { body: back }),
    );
    expect(messages(made).map((row) => row.file)).toEqual([
      { name: "x\ufffdfdp.exe", bytes: 9, sha256: "d1", picture: null, uploaded: null },
      { name: "rash.jpg", bytes: 9, sha256: "d1", picture: "image/jpeg", uploaded: null },
      null,
    ]);
  });

  it("show how far an upload is, and what is wrong with one", async () => {
    const made = world();
    made.chat.attach("a.png", "image/png", new Blob(["abcd"]));
    made.uploads[0]?.sent(1);
    expect(messages(made)).toMatchObject([{ state: "uploading", file: { uploaded: 25, sha256: null } }]);
    expect(messages(made, { is: "offline" })[0]?.line).toContain("keep this page open");
    made.uploads[0]?.end({ fault: "too_large" });
    await Promise.resolve();
    await Promise.resolve();
    expect(messages(made)).toMatchObject([{ state: "refused", refused: { again: true } }]);
    expect(messages(made)[0]?.refused?.text).toContain("too large");
  });

  it("tell own messages' states apart", () => {
    const made = world(...all(1, 2).map((entry) => ({ ...entry, author: PATIENT })));
    made.chat.receipt({ conversation: conversation(0).id, upto: 1 });
    made.chat.write("under way");
    made.chat.write("next");
    const states = (link: Link) => messages(made, link).map((row) => [row.state, row.read]);
    expect(states(live)).toEqual([
      ["sent", true],
      ["sent", false],
      ["sending", false],
      ["waiting", false],
    ]);
    expect(states({ is: "offline" }).slice(2)).toEqual([
      ["waiting", false],
      ["waiting", false],
    ]);
  });

  it("say what is wrong with a refused message, and offer to send again only where that helps", () => {
    const made = world();
    made.chat.write("one");
    made.chat.rejected({ of: "send", code: "too_large", message: "" });
    made.chat.write("two");
    made.chat.rejected({ of: "send", code: "behind", message: "" });
    expect(messages(made).map((row) => row.refused?.again)).toEqual([false, true]);
    expect(messages(made)[0]?.refused?.text).toContain("too long");
  });

  it("never show a message twice, and keep its key when it is committed", () => {
    const made = world();
    made.chat.write("hello");
    const [before] = messages(made);
    made.chat.log.live(entry(1, { id: before?.key ?? "", author: PATIENT }));
    expect(messages(made).map((row) => row.key)).toEqual([before?.key]);
  });

  it("hide what waits until it is certain whose it is", () => {
    const made = world();
    made.chat.lost();
    made.chat.write("private");
    const other = new World({ ...made.kept, confirmed: false });
    expect(messages(other)).toEqual([]);
  });
});
