/** What becomes of a `send`. */
import assert from "node:assert/strict";
import { uuidv7 } from "../peer.mjs";
import { refuses, rejects, text } from "../expect.mjs";

export default [
  [
    "a send comes back as its entry, to both sides",
    "",
    async ({ patient, provider }) => {
      const body = text("Grüße 👩🏽‍⚕️ עברית <b>no markup</b>\n\ttab \u2028 end");
      const id = uuidv7();
      const { entry } = await patient.send(patient.conversation, body, { id });
      assert.deepEqual(
        [entry.id, entry.conversation, entry.seq, entry.prev],
        [id, patient.conversation, 1, 0],
      );
      assert.deepEqual(entry.body, body);
      assert.deepEqual([entry.author.id, entry.author.role], [patient.id, "patient"]);
      const seen = await provider.next("entry", (frame) => frame.entry.id === id);
      assert.deepEqual(seen.entry.body, body);
      assert.equal(seen.entry.prev, undefined);
      assert.equal(seen.conversation.head, 1);
      assert.equal(seen.conversation.rev, seen.entry.rev);
      assert.ok(seen.conversation.waiting_since !== null);
    },
  ],
  [
    "the wait-time message follows the patient's first message at once",
    "wait",
    async ({ patient }) => {
      const { entry } = await patient.next("entry", ({ entry }) => entry.body.kind === "wait");
      assert.deepEqual([entry.seq, entry.prev, entry.author.role], [2, 1, "system"]);
      assert.ok(Number.isSafeInteger(entry.body.minutes) && entry.body.text.length > 0);
    },
  ],
  [
    "the same id again is the first entry again, from any socket",
    "",
    async ({ patient, again }) => {
      const second = await again(patient);
      const ids = Array.from({ length: 15 }, uuidv7);
      const answers = await Promise.all(
        ids.flatMap((id) => [patient, second].map((peer) => peer.send(peer.conversation, text(id), { id }))),
      );
      for (const [index, { entry }] of answers.entries()) {
        assert.equal(entry.id, ids[Math.floor(index / 2)]);
        assert.equal(entry.seq, answers[index ^ 1].entry.seq);
      }
      const { head } = await patient.summary(patient.conversation);
      const stored = (await patient.log(patient.conversation, head)).map(({ id }) => id);
      assert.deepEqual(stored.filter((id) => ids.includes(id)).sort(), [...ids].sort());
      second.close();
    },
  ],
  [
    "the same id with other content is a conflict",
    "",
    async ({ patient, other }) => {
      const id = uuidv7();
      await patient.send(patient.conversation, text("first"), { id });
      await refuses(patient.send(patient.conversation, text("second"), { id }), "conflict");
      const stolen = await other.send(other.conversation, text("first"), { id });
      assert.equal(stolen.rejected?.code, "conflict");
    },
  ],
  [
    "an acknowledgement comes where one is asked for",
    "",
    async ({ patient }) => {
      const ask = (event, data) => patient.socket.timeout(20_000).emitWithAck(event, data);
      const id = uuidv7();
      const done = await ask("send", {
        id,
        conversation: patient.conversation,
        seen: 0,
        body: text("acked"),
      });
      assert.ok("ok" in done && !("error" in done), JSON.stringify(done));
      await patient.next("entry", ({ entry }) => entry.id === id);
      const not = await ask("send", { id: uuidv7(), conversation: "nowhere", seen: 0, body: text("x") });
      assert.equal(not.error.code, "not_found");
      assert.equal(typeof not.error.message, "string");
    },
  ],
  [
    "a reply to what one hasn't seen is behind, unless forced",
    "",
    async ({ patient, provider }) => {
      const { entry } = await patient.send(patient.conversation, text("wait, there is more"));
      const id = uuidv7();
      await refuses(
        provider.send(patient.conversation, text("reply"), { id, seen: entry.seq - 1 }),
        "behind",
      );
      const forced = await provider.send(patient.conversation, text("reply"), {
        id,
        seen: entry.seq - 1,
        force: true,
      });
      assert.equal(forced.entry?.id, id);
      const { head } = await provider.summary(patient.conversation);
      assert.ok((await provider.send(patient.conversation, text("seen"), { seen: head })).entry);
    },
  ],
  [
    "only its author corrects a message or takes it back",
    "",
    async ({ patient, provider }) => {
      const { conversation } = patient;
      const { entry } = await provider.send(conversation, text("two tablets"), { force: true });
      const amend = (text) => ({ kind: "amend", target: entry.id, text });
      await refuses(patient.send(conversation, amend("none")), "forbidden");
      await refuses(provider.send(conversation, { ...amend("x"), target: uuidv7() }), "not_found");
      await rejects(
        provider,
        "send",
        { id: uuidv7(), conversation, seen: 0, body: { kind: "amend", target: entry.id } },
        "invalid",
      );
      for (const value of ["one tablet", null]) {
        const amended = await provider.send(conversation, amend(value));
        const seen = await patient.next("entry", (frame) => frame.entry.id === amended.entry.id);
        assert.equal(seen.entry.body.text, value);
      }
      const [original] = await provider
        .ask("entries", { conversation, from: entry.seq, to: entry.seq }, "entries")
        .then(({ entries }) => entries);
      assert.equal(original.body.text, "two tablets");
    },
  ],
];
