import type { Failure } from "../../bindings/Failure";

/** Which part of a sign-in form a failure is about. */
export type Place = "server" | "token" | "form";

export function placeOf(failure: Failure): Place {
  switch (failure.failure) {
    case "bad_address":
    case "unreachable":
    case "not_bedside":
      return "server";
    case "refused":
      return failure.code === "protocol" ? "server" : "token";
    default:
      return "form";
  }
}
