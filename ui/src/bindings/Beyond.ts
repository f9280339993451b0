import type { Hit } from "./Hit";
import type { Reach } from "./Reach";
export type Beyond = { hits: Array<Hit>, reach: Reach, };
