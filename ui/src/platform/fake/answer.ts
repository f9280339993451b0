import type { Failure } from "../../bindings/Failure";

export const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** A rejection as the shell gives it: the bare failure. */
export const fail = (failure: Failure) => failure;
