import type { Failure } from "../../bindings/Failure";

export const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** A rejection as the shell gives it: the bare failure. */
export const fail = (failure: Failure) => failure;

/** As long as a request to the server takes, about. */
export const WIRE_MS = 400;
