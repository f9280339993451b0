import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Command } from "../bindings/Command";
import type { Reply } from "../bindings/Reply";
import type { Platform } from "../platform";
import { DRAFT_DELAY_MS } from "./compose.svelte";
import { Desk } from "./desk.svelte";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const CONVERSATIONS = ["c-ana", "c-ben", "c-cem"];

/** Small, seeded, and the same everywhere. */
function random(seed: number) {
  let state = seed;
  return (below: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** A core that answers late and in any order, sometimes with a failure; it keeps an outbox of what it took. */
class LateCore implements Platform {
  given: Command[] = [];
  outbox = new Map<string, { conversation: string; text: string }>();
  #open: ((pick: (below: number) => number) => void)[] = [];
  #ids = 0;

  call(command: Command): Promise<Reply> {
    this.given.push(command);
    return new Promise((resolve, reject) => {
      this.#open.push((pick) => {
        if (command.command === "send_text") {
          if (pick(6) === 0) return reject({ failure: "storage" });
          const id = `m-${(this.#ids += 1)}`;
          this.outbox.set(id, { conversation: command.conversation, text: command.text });
          return resolve({ reply: "accepted", id });
        }
        if (command.command === "recall") {
          const text = this.outbox.get(command.id)?.text;
          if (text === undefined || pick(4) === 0) return reject({ failure: "on_its_way" });
          this.outbox.delete(command.id);
          return resolve({ reply: "recalled", text });
        }
        return pick(9) === 0 ? reject({ failure: "storage" }) : resolve({ reply: "done" });
      });
    });
  }

  async watch() {}
  async openLink() {}

  async answer(pick: (below: number) => number) {
    this.#open.splice(pick(this.#open.length), 1)[0]?.(pick);
    await vi.advanceTimersByTimeAsync(0);
  }

  get asked() {
    return this.#open.length;
  }
}

/** A person types, sends, takes back and changes the conversation at any moment, while the core answers when it likes. */
async function run(seed: number) {
  const pick = random(seed);
  const core = new LateCore();
  const desk = new Desk(core);
  const typed: string[] = [];
  const compose = (id: string) => desk.composeFor(id, "");
  for (let step = 0; step < 120; step++) {
    const open = desk.open?.id;
    switch (pick(8)) {
      case 0:
      case 1:
        desk.openConversation(CONVERSATIONS[pick(CONVERSATIONS.length)] ?? "");
        break;
      case 2:
      case 3:
        if (open) {
          // Each word says where it was typed.
          const word = `${open}/${typed.push(open)}`;
          compose(open).type([compose(open).text, word].filter(Boolean).join(" "));
        }
        break;
      case 4:
        if (open) void compose(open).send(0);
        break;
      case 5: {
        const [id, row] = [...core.outbox][pick(core.outbox.size)] ?? [];
        if (id && row) void desk.recall(id, row.conversation);
        break;
      }
      case 6:
        await vi.advanceTimersByTimeAsync(pick(2) * DRAFT_DELAY_MS);
        break;
      default:
        if (core.asked > 0) await core.answer(pick);
    }
  }
  while (core.asked > 0) await core.answer((below) => below - 1);
  return { core, typed, left: CONVERSATIONS.map((id) => [id, compose(id).text] as const) };
}

const words = (text: string) => text.split(/\s+/).filter(Boolean);

test("no text ever goes to, or is kept for, another conversation than it was typed in, and none is lost", async () => {
  let sent = 0;
  for (let seed = 1; seed <= 100; seed++) {
    const { core, typed, left } = await run(seed);
    const places: (readonly [string, string])[] = [
      ...core.given.flatMap((command) =>
        command.command === "send_text" || command.command === "save_draft"
          ? [[command.conversation, command.text] as const]
          : [],
      ),
      ...[...core.outbox.values()].map(({ conversation, text }) => [conversation, text] as const),
      ...left,
    ];
    for (const [conversation, text] of places) {
      const strangers = words(text).filter((word) => !word.startsWith(`${conversation}/`));
      expect(strangers, `seed ${seed}, ${conversation}`).toEqual([]);
    }
    // Each word is in one place: sent, or still in its composer.
    const ends = [...[...core.outbox.values()].map(({ text }) => text), ...left.map(([, text]) => text)];
    expect(ends.flatMap(words).sort(), `seed ${seed}`).toEqual(
      typed.map((open, n) => `${open}/${n + 1}`).sort(),
    );
    sent += core.outbox.size;
  }
  expect(sent).toBeGreaterThan(100);
}, 60_000);
