import type { Code } from "./Code";
import type { Retry } from "./Retry";
export type Missing = { "missing": "fetching" } | { "missing": "offline" } | { "missing": "refused", code: Code, retry: Retry, };
