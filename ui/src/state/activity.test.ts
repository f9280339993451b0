import { expect, test } from "vitest";
import { ACTIVE_EVERY_MS, activity } from "./activity";

function window() {
  let [now, reports] = [0, 0];
  const listen = activity(
    () => (reports += 1),
    () => now,
  );
  return {
    at: (ms: number, type: string, place = {}) => {
      now = ms;
      listen(Object.assign(new Event(type), place));
      return reports;
    },
  };
}

test("somebody at the window is told at once, and then at most every so often", () => {
  const { at } = window();
  expect(at(0, "keydown")).toBe(1);
  expect(at(ACTIVE_EVERY_MS - 1, "pointerdown")).toBe(1);
  expect(at(ACTIVE_EVERY_MS, "wheel")).toBe(2);
});

test("a pointer at rest is nobody, whatever moves beneath it", () => {
  const { at } = window();
  expect(at(0, "pointermove", { screenX: 5, screenY: 5 })).toBe(0);
  expect(at(1, "pointermove", { screenX: 5, screenY: 5 })).toBe(0);
  expect(at(2, "pointermove", { screenX: 6, screenY: 5 })).toBe(1);
});
