/**
 * Asserts the protocol of docs/protocol.md from outside, over both transports:
 *
 *     node check.mjs http://127.0.0.1:8790 [--without wait,rate_limit] [--expired TOKEN]
 *
 * The server runs with --demo. `--without` names what a server doesn't do. One line a check; exit code 1 if one failed.
 */
import { parseArgs } from "node:util";
import burst from "./checks/burst.mjs";
import connect from "./checks/connect.mjs";
import follow from "./checks/follow.mjs";
import refuse from "./checks/refuse.mjs";
import write from "./checks/write.mjs";
import { Peer, signIn, uuidv7 } from "./peer.mjs";

const CHECKS = [...connect, ...write, ...refuse, ...follow, ...burst];

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { without: { type: "string", default: "" }, expired: { type: "string" } },
});
const server = positionals[0]?.replace(/\/$/, "");
if (!server) throw new Error("usage: node check.mjs URL [--without FEATURE,…] [--expired TOKEN]");
const without = new Set(values.without.split(",").filter(Boolean));

/** Names of this run alone, so that it can be repeated on the same server. */
const run = uuidv7().slice(-12);

let failed = 0;

async function check(world, name, feature, test) {
  const label = `${world.transport}: ${name}`;
  if (without.has(feature)) return console.log(`skip ${label} (without ${feature})`);
  try {
    await test(world);
    console.log(`ok   ${label}`);
  } catch (error) {
    failed += 1;
    console.log(`FAIL ${label}: ${error.errors?.map(String).join("; ") ?? error.message}`);
  }
}

/** A provider and two patients, freshly signed in, and how to get more. */
async function cast(transport) {
  const name = (who) => `Interop ${who} ${transport} ${run}`;
  const enter = async (role, who) => {
    const account = await signIn(server, role, name(who));
    return Object.assign(await Peer.welcomed(server, role, { token: account.token, transport }), account);
  };
  const again = (peer) =>
    Peer.welcomed(server, peer.welcome.me.role, { token: peer.token, transport }).then((second) =>
      Object.assign(second, { token: peer.token, id: peer.id, conversation: peer.conversation }),
    );
  const [provider, patient, other] = [
    await enter("provider", "Provider"),
    await enter("patient", "Patient"),
    await enter("patient", "Other"),
  ];
  return { server, transport, expired: values.expired, enter, again, provider, patient, other };
}

for (const transport of ["websocket", "polling"]) {
  const world = await cast(transport);
  for (const [name, feature, test] of CHECKS) await check(world, name, feature, test);
  for (const peer of [world.provider, world.patient, world.other]) peer.close();
}
console.log(failed === 0 ? "all passed" : `${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
