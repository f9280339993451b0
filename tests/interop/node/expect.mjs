import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";

/** The body of a message. */
export const text = (text) => ({ kind: "text", text });

/** Emits, and expects `rejected` with the code for that event; for the server's pace it waits. */
export async function rejects(peer, event, data, code) {
  for (;;) {
    const frame = await peer.ask(event, data, "rejected", (frame) => frame.of === event);
    if (frame.code !== "rate_limited" || code === "rate_limited") return assert.equal(frame.code, code);
    await pause(frame.retry_after_ms);
  }
}

/** Expects that a send was refused with the code. */
export async function refuses(sent, code) {
  const { entry, rejected } = await sent;
  assert.equal(rejected?.code, code, entry && "it was taken");
}
