/** How clients learn what happened: catching up, read marks, typing, presence. */
import assert from "node:assert/strict";
import { text } from "../expect.mjs";

export default [
  [
    "who comes late catches up with all of it, once and in order",
    "",
    async ({ enter, again, provider }) => {
      const patient = await enter("patient", "Late");
      await patient.send(patient.conversation, text("one"));
      const { rev } = await patient.ask("changes", { since: 0 }, "changes");
      patient.close();
      const sent = [];
      for (const body of [text("two"), { kind: "note", text: "secret", mentions: [] }, text("three")]) {
        sent.push((await provider.send(patient.conversation, body, { force: body.kind === "text" })).entry);
      }
      const late = await again(patient);
      const { conversations } = await late.ask("changes", { since: rev }, "changes");
      assert.deepEqual(
        conversations.map(({ id }) => id),
        [patient.conversation],
      );
      const [own] = conversations;
      const theirs = await late.log(own.id, own.head);
      assert.deepEqual(
        theirs.filter(({ body }) => body.kind === "text").map(({ body }) => body.text),
        ["one", "two", "three"],
      );
      assert.ok(theirs.every(({ body }) => body.kind !== "note"));
      theirs.forEach((entry, index) => assert.equal(entry.prev, theirs[index - 1]?.seq ?? 0));
      const { head } = await provider.summary(own.id);
      const all = await provider.log(own.id, head);
      assert.deepEqual(
        all.map(({ seq }) => seq),
        Array.from({ length: head }, (_, index) => index + 1),
      );
      assert.deepEqual(
        all.slice(-3).map(({ id }) => id),
        sent.map(({ id }) => id),
      );
      late.close();
    },
  ],
  [
    "changes come in pages, each conversation once, oldest change first",
    "",
    async ({ provider }) => {
      const seen = [];
      let since = 0;
      for (let more = true; more;) {
        const answer = await provider.ask(
          "changes",
          { since, limit: 2 },
          "changes",
          (frame) => frame.since === since,
        );
        assert.ok(answer.conversations.length <= 2 && (!answer.more || answer.rev > since));
        seen.push(...answer.conversations);
        ({ rev: since, more } = answer);
      }
      assert.ok(seen.length > 2);
      assert.equal(new Set(seen.map(({ id }) => id)).size, seen.length);
      assert.deepEqual(
        seen.map(({ rev }) => rev),
        seen.map(({ rev }) => rev).sort((a, b) => a - b),
      );
    },
  ],
  [
    "a read mark moves forward alone, to the head at most, and the patient gets a receipt",
    "",
    async ({ patient, provider }) => {
      const conversation = patient.conversation;
      const { head } = await provider.summary(conversation);
      const mine = ({ conversation: { id, read } }) => id === conversation && read[provider.id] === head;
      const after = patient.mark();
      // A mark beyond the head counts as the head.
      await provider.ask("read", { conversation, upto: head + 1_000 }, "conversation", mine);
      const receipt = await patient.next("receipt", (frame) => frame.conversation === conversation, after);
      assert.ok(receipt.upto > 0 && receipt.upto <= head);
      await provider.ask("read", { conversation, upto: 1 }, "conversation", mine);
      const seen = (await patient.summary(conversation)).head;
      await patient.ask(
        "read",
        { conversation, upto: seen },
        "conversation",
        (frame) => frame.conversation.read[patient.id] === seen,
      );
    },
  ],
  [
    "typing reaches the other side, and no stranger",
    "",
    async ({ patient, other, provider }) => {
      const { conversation } = patient;
      const strangers = other.mark();
      const before = Date.now();
      patient.socket.emit("typing", { conversation });
      const seen = await provider.next("typing", (frame) => frame.conversation === conversation);
      assert.deepEqual([seen.who.id, seen.who.role], [patient.id, "patient"]);
      assert.ok(seen.until > before);
      provider.socket.emit("typing", { conversation });
      await patient.next("typing", (frame) => frame.who.id === provider.id);
      await other.ask("changes", { since: 0 }, "changes");
      assert.ok(other.frames.slice(strangers).every(({ event }) => event !== "typing"));
    },
  ],
  [
    "a colleague is seen to look at a conversation",
    "",
    async ({ enter, patient, provider }) => {
      const colleague = await enter("provider", "Colleague");
      colleague.socket.emit("viewing", { conversation: patient.conversation });
      await provider.next(
        "presence",
        ({ who, viewing }) => who.id === colleague.id && viewing === patient.conversation,
      );
      colleague.close();
    },
  ],
];
