import type { Platform } from "../platform";
export function fake(_scenario: string | null): Platform {
  throw new Error("none");
}
