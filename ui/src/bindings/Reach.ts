import type { Code } from "./Code";
import type { Time } from "./Time";
export type Reach = { "reach": "unasked" } | { "reach": "needless" } | { "reach": "unread" } | { "reach": "asking" } | { "reach": "busy" } | { "reach": "offline" } | { "reach": "silent" } | { "reach": "refused", code: Code, } | { "reach": "answered", back_to: Time | null, unindexed: number, };
