/** What a server refuses, and that it stays. */
import assert from "node:assert/strict";
import { uuidv7 } from "../peer.mjs";
import { refuses, rejects, text } from "../expect.mjs";

export default [
  [
    "what isn't one's to write is forbidden",
    "",
    async ({ patient, provider }) => {
      await refuses(
        patient.send(patient.conversation, { kind: "note", text: "n", mentions: [] }),
        "forbidden",
      );
      await refuses(patient.send(patient.conversation, { kind: "assign", to: null }), "forbidden");
      await refuses(patient.send(patient.conversation, { kind: "state", state: "closed" }), "forbidden");
      await refuses(
        provider.send(patient.conversation, { kind: "wait", minutes: 1, text: "w" }),
        "forbidden",
      );
    },
  ],
  [
    "another's conversation isn't there",
    "",
    async ({ patient, other, provider }) => {
      const conversation = other.conversation;
      await refuses(patient.send(conversation, text("x")), "not_found");
      await rejects(patient, "entries", { conversation, from: 1, to: 1 }, "not_found");
      await rejects(patient, "read", { conversation, upto: 0 }, "not_found");
      await rejects(patient, "typing", { conversation }, "not_found");
      await refuses(provider.send("nowhere", text("x")), "not_found");
      assert.equal(await patient.summary(conversation), undefined);
    },
  ],
  [
    "garbage is invalid, and the connection stays",
    "",
    async ({ patient }) => {
      const { conversation } = patient;
      const send = (change) => ({ id: uuidv7(), conversation, seen: 0, body: text("x"), ...change });
      const garbage = [
        ["send", null],
        ["send", 7],
        ["send", "x"],
        ["send", []],
        ["send", {}],
        ["send", send({ id: "not-a-uuid" })],
        ["send", send({ id: "0190a000-0000-4000-8000-000000000000" })],
        ["send", send({ conversation: "../etc" })],
        ["send", send({ seen: -1 })],
        ["send", send({ seen: 1.5 })],
        ["send", send({ seen: 2 ** 60 })],
        ["send", send({ body: null })],
        ["send", send({ body: { kind: "dance" } })],
        ["send", send({ body: { kind: "text" } })],
        ["send", send({ body: { kind: "text", text: 7 } })],
        ["send", send({ body: text(" \n") })],
        ["send", send({ body: text("\ud800") })],
        ["send", send({ from: 7 })],
        ["changes", { since: "x" }],
        ["entries", { conversation, from: 1, to: 201 }],
        ["entries", { conversation, from: 3, to: 2 }],
        ["read", { conversation, upto: -1 }],
        ["typing", {}],
        ["no_such_event", {}],
      ];
      for (const [event, data] of garbage) {
        await rejects(patient, event, data, "invalid").catch((error) => {
          throw new Error(`${event} ${JSON.stringify(data)}: ${error.message}`);
        });
      }
      await patient.ask("changes", { since: 0 }, "changes");
    },
  ],
  [
    "a copy of another log is told so",
    "",
    async ({ patient }) => {
      const { epoch, rev } = patient.welcome;
      assert.match(epoch, /^[A-Za-z0-9._-]{1,64}$/);
      await patient.ask("changes", { since: 0, epoch, newest: rev }, "changes");
      await rejects(patient, "changes", { since: 0, epoch: "another-log", newest: 0 }, "diverged");
    },
  ],
  [
    "a text over the limit is too large",
    "",
    async ({ patient }) => {
      const over = "x".repeat(patient.welcome.limits.text_bytes + 1);
      await refuses(patient.send(patient.conversation, text(over)), "too_large");
      await refuses(patient.send(patient.conversation, text(over.replace(/xx/g, "ä"))), "too_large");
    },
  ],
  [
    "10 MB are too large, and nobody else notices",
    "",
    async (world) => {
      // The polling transport has a limit of its own, far below.
      if (world.transport === "polling") return;
      const { patient, other } = world;
      const { conversation } = patient;
      const huge = { id: uuidv7(), conversation, seen: 0, body: text("x".repeat(10e6)) };
      await rejects(patient, "send", huge, "too_large");
      const { entry } = await other.send(other.conversation, text("still here"));
      assert.ok(entry);
      assert.ok((await patient.send(conversation, text("here too"))).entry);
    },
  ],
];
