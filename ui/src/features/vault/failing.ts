import type { Failure } from "../../bindings/Failure";

/** Which part of the passphrase's form something is wrong with. */
export type Place = "current" | "new" | "again" | "form";

export function placeOf(failure: Failure): Place {
  switch (failure.failure) {
    case "wrong_passphrase":
      return "current";
    case "short_passphrase":
      return "new";
    default:
      return "form";
  }
}
