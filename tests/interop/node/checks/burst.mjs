/** Many sends at once: their order and their limit. */
import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import { uuidv7 } from "../peer.mjs";
import { text } from "../expect.mjs";

/** As many as every server takes at once: twice its sends a second. */
const BURST = 40;

export default [
  [
    "what one socket sends keeps its order, many at a time",
    "",
    async ({ enter, provider }) => {
      const patients = await Promise.all(
        Array.from({ length: 8 }, (_, index) => enter("patient", `Order ${index}`)),
      );
      await Promise.all(
        patients.map(async (patient) => {
          const ids = Array.from({ length: BURST }, uuidv7);
          for (const id of ids) {
            patient.socket.emit("send", { id, conversation: patient.conversation, seen: 0, body: text(id) });
          }
          for (const peer of [patient, provider])
            await peer.next("entry", ({ entry }) => entry.id === ids.at(-1));
          for (const peer of [patient, provider]) {
            const entries = peer.frames.flatMap(({ event, data }) =>
              event === "entry" && data.entry.conversation === patient.conversation ? [data.entry] : [],
            );
            assert.deepEqual(
              entries.map(({ id }) => id).filter((id) => ids.includes(id)),
              ids,
            );
            const seqs = entries.map(({ seq }) => seq);
            assert.deepEqual(
              seqs,
              [...seqs].sort((a, b) => a - b),
            );
          }
          patient.close();
        }),
      );
    },
  ],
  [
    "200 sends in a burst meet the rate limit, and lose nothing by coming again",
    "rate_limit",
    async ({ enter, other }) => {
      const patient = await enter("patient", "Hasty");
      const ids = Array.from({ length: 200 }, uuidv7);
      const send = (id) => patient.sendOnce(patient.conversation, text(id), { id });
      const answers = await Promise.all(ids.map(send));
      assert.ok(
        answers.some(({ rejected }) => rejected),
        "all 200 were taken at once",
      );
      assert.ok((await other.send(other.conversation, text("meanwhile"))).entry);
      for (let [index, { rejected }] of answers.entries()) {
        for (let tries = 0; rejected; tries += 1) {
          assert.equal(rejected.code, "rate_limited");
          assert.ok(rejected.retry_after_ms > 0 && tries < 10);
          await pause(rejected.retry_after_ms);
          ({ rejected } = await send(ids[index]));
        }
      }
      const { head } = await patient.summary(patient.conversation);
      const texts = (await patient.log(patient.conversation, head)).filter(
        ({ body }) => body.kind === "text",
      );
      assert.equal(texts.length, 200);
      assert.equal(new Set(texts.map(({ id }) => id)).size, 200);
      patient.close();
    },
  ],
];
