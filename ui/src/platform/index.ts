import { isTauri } from "@tauri-apps/api/core";
import type { Platform } from "./platform";
import { tauri } from "./tauri";

export type { Platform } from "./platform";

/** The host that this page runs in. A plain browser gets made-up people, and only outside the production bundle. */
export async function host(): Promise<Platform> {
  if (import.meta.env.MODE !== "production" && !isTauri()) {
    const { fake } = await import("./fake");
    return fake(new URLSearchParams(location.search).get("fake"));
  }
  return tauri();
}
