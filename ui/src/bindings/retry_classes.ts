// Generated from crates/protocol/src/refusal.rs. Do not edit.
import type { Code } from "./Code";
import type { Retry } from "./Retry";

export const RETRY: Record<Code, Retry> = {
  invalid: "never",
  too_large: "never",
  not_found: "never",
  forbidden: "never",
  conflict: "never",
  behind: "after_reading",
  diverged: "never",
  rate_limited: "later",
  unavailable: "later",
};
