import type { FakeCore } from "./core";
import { SCENARIOS } from "./scenarios";

declare global {
  interface Window {
    /** For the scripts that look at the window: the made-up core behind it. */
    fakeCore: FakeCore;
  }
}

/** The made-up core in the named scenario, the desk unless another is named. */
export function fake(name: string | null): FakeCore {
  const scenario = Object.entries(SCENARIOS).find(([known]) => known === name)?.[1] ?? SCENARIOS.desk;
  window.fakeCore = scenario();
  return window.fakeCore;
}
