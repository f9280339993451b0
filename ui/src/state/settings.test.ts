import { expect, test } from "vitest";
import type { Command } from "../bindings/Command";
import type { Reply } from "../bindings/Reply";
import type { Settings as Seen } from "../bindings/Settings";
import { Settings } from "./settings.svelte";

const on = { on: true, set_by: "user" } as const;
const seen = (minutes: number, most: number): Seen => ({
  notifications: on,
  content_protection: on,
  system_unlock: on,
  idle_lock_minutes: minutes,
  idle_lock_most: most,
  set_aside: false,
});

async function loaded(minutes: number, most: number): Promise<Settings> {
  const settings = new Settings(async () => ({ reply: "settings", settings: seen(minutes, most) }));
  await settings.load();
  return settings;
}

test("offers no longer time than may be, and never where that may be", async () => {
  expect((await loaded(10, 10)).idleChoices).toEqual([1, 2, 5, 10]);
  expect((await loaded(3, 12)).idleChoices).toEqual([1, 2, 3, 5, 10, 12]);
  expect((await loaded(0, 0)).idleChoices).toEqual([1, 2, 5, 10, 15, 30, 60, 0]);
  expect((await loaded(30, 0)).idleChoices).toEqual([1, 2, 5, 10, 15, 30, 60, 0]);
});

test("shows what the core says, and why something wasn't set", async () => {
  const given: Command[] = [];
  let answer: () => Reply = () => ({ reply: "settings", settings: seen(10, 10) });
  const settings = new Settings(async (command) => {
    given.push(command);
    return answer();
  });
  expect(settings.now).toBeNull();
  await settings.load();
  answer = () => ({ reply: "settings", settings: seen(2, 10) });
  expect(await settings.set({ setting: "idle_lock", minutes: 2 })).toBe(true);
  expect(settings.now?.idle_lock_minutes).toBe(2);
  answer = () => {
    throw { failure: "set_by_policy" };
  };
  expect(await settings.set({ setting: "notifications", on: false })).toBe(false);
  expect(settings.trouble).toContain("organisation");
  expect(settings.now?.notifications.on).toBe(true);
  expect(given.map(({ command }) => command)).toEqual(["settings", "set", "set", "settings"]);
});

test("shows what holds though it couldn't be kept", async () => {
  const settings = await loaded(10, 10);
  const holds = new Settings(async ({ command }) => {
    if (command === "set") throw { failure: "storage" };
    return { reply: "settings", settings: seen(2, 10) };
  });
  holds.now = settings.now;
  expect(await holds.set({ setting: "idle_lock", minutes: 2 })).toBe(false);
  expect(holds.trouble).not.toBe("");
  expect(holds.now?.idle_lock_minutes).toBe(2);
});
