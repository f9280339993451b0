/** Who may connect, and what comes first. */
import assert from "node:assert/strict";
import { Peer } from "../peer.mjs";

export default [
  [
    "welcome is the first event, and says who one is",
    "",
    async ({ patient, provider }) => {
      for (const [peer, role] of [
        [patient, "patient"],
        [provider, "provider"],
      ]) {
        assert.equal(peer.frames[0].event, "welcome");
        const { me, rev, heartbeat_ms, now, limits } = peer.welcome;
        assert.equal(me.role, role);
        assert.equal(me.id, peer.id);
        for (const number of [rev, heartbeat_ms, now, ...Object.values(limits)])
          assert.ok(Number.isSafeInteger(number));
        assert.ok(limits.text_bytes > 0 && limits.frame_bytes > limits.text_bytes && limits.sends_per_s > 0);
      }
    },
  ],
  [
    "heartbeats come",
    "",
    ({ patient, provider }) =>
      Promise.all(
        [patient, provider].map((peer) => peer.next("heartbeat", ({ rev, now }) => rev >= 0 && now > 0)),
      ),
  ],
  [
    "a bad token, role or version is refused by a bare code",
    "",
    async ({ server, expired, transport, patient, provider }) => {
      const refused = (role, auth) => Peer.refused(server, role, { transport, ...auth });
      const { token } = patient;
      const forged = token.slice(0, -2) + (token.endsWith("A") ? "BB" : "AA");
      assert.equal(await refused("patient", { token: "garbage" }), "unauthenticated");
      assert.equal(await refused("patient", { token: "" }), "unauthenticated");
      assert.equal(await refused("patient", { token: null }), "unauthenticated");
      assert.equal(await refused("patient", { token: forged }), "unauthenticated");
      assert.equal(await refused("provider", { token }), "unauthenticated");
      assert.equal(await refused("patient", { token: provider.token }), "unauthenticated");
      assert.equal(await refused("patient", { token, protocol: 2 }), "protocol");
      assert.equal(await refused("patient", { token, protocol: 0 }), "protocol");
      if (expired) assert.equal(await refused("provider", { token: expired }), "expired");
      assert.equal(await refused("patient", { token }), "welcome");
    },
  ],
];
