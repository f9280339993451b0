import { describe, expect, it } from "vitest";
import { Outbox, type Outgoing } from "./outbox";
import { RETRY, type Code } from "./wire";

const waits = { is: "waiting" } as const;
const message = (id: string) => ({ id, text: id, at: 0, seen: 0 });
const states = (outbox: Outbox) => outbox.items().map(({ id, progress }) => `${id} ${progress.is}`);

function outbox(...ids: string[]): Outbox {
  const made = new Outbox([]);
  ids.forEach((id) => made.write(message(id)));
  return made;
}

describe("the outbox", () => {
  it("has one message under way, the oldest first", () => {
    const box = outbox("a", "b");
    expect(box.next(0)?.id).toBe("a");
    expect(box.next(1)).toBeNull();
    box.settled("a");
    expect(box.next(2)?.id).toBe("b");
    expect(states(box)).toEqual(["b sending"]);
  });

  it("hands the same message over again when no answer comes", () => {
    const box = outbox("a");
    box.next(0);
    expect(box.next(9_999)).toBeNull();
    expect(box.next(10_000)?.id).toBe("a");
  });

  // Each arrow of the diagram that a code chooses.
  const arrows: [Code, string][] = (Object.keys(RETRY) as Code[]).map((code) => [
    code,
    RETRY[code] === "later" ? "waiting" : "refused",
  ]);
  it.each(arrows)("%s makes a message %s", (code, state) => {
    const box = outbox("a");
    box.next(0);
    box.rejected("a", code, 500, 0);
    expect(states(box)).toEqual([`a ${state}`]);
  });

  it("waits as long as the server asks, and keeps the order meanwhile", () => {
    const box = outbox("a", "b");
    box.next(0);
    box.rejected("a", "rate_limited", 700, 100);
    expect(box.next(799)).toBeNull();
    expect(box.next(800)?.id).toBe("a");
  });

  it("goes on past a refused message", () => {
    const box = outbox("a", "b");
    box.next(0);
    box.rejected("a", "forbidden", undefined, 0);
    expect(box.next(0)?.id).toBe("b");
    expect(box.unsent()).toBe(1);
  });

  it("takes a refusal without an id as meant for the message under way", () => {
    const box = outbox("a");
    box.rejected(undefined, "invalid", undefined, 0);
    expect(states(box)).toEqual(["a waiting"]);
    box.next(0);
    box.rejected(undefined, "invalid", undefined, 0);
    expect(states(box)).toEqual(["a refused"]);
  });

  it("sends again, knowingly, what was refused for being behind", () => {
    const box = outbox("a");
    box.next(0);
    box.rejected("a", "behind", undefined, 0);
    box.again("a", 9);
    expect(box.next(0)).toMatchObject({ id: "a", seen: 9, force: true });
  });

  it("doesn't know what became of a message when the connection is lost", () => {
    const box = outbox("a");
    box.next(0);
    box.lost();
    expect(states(box)).toEqual(["a waiting"]);
    expect(box.next(0)?.id).toBe("a");
  });

  it("comes back from a reload with the same ids, and refusals stay refused", () => {
    const refused: Outgoing["progress"] = { is: "refused", code: "too_large" };
    const box = new Outbox([
      { ...message("a"), force: false, progress: { is: "sending", since: 5 } },
      { ...message("b"), force: false, progress: refused },
      { ...message("c"), force: false, progress: waits },
    ]);
    expect(states(box)).toEqual(["a waiting", "b refused", "c waiting"]);
  });
});
