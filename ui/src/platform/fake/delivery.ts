import type { Outgoing } from "../../bindings/Outgoing";
import { plain } from "../../state/item";
import { wait, WIRE_MS } from "./answer";
import type { FakeFiles } from "./files";
import { ME } from "./people";
import type { Talk } from "./talk";

/** How much of a file is handed over each time that it is told. */
const PARTS = [0, 0.15, 0.42, 0.8];

interface Host {
  readonly files: FakeFiles;
  publish(): void;
}

/** The way of what waits: its file first, then handed over, then committed. */
export async function deliver(talk: Talk, host: Host) {
  const due = talk.outgoing.filter(
    ({ state }) => state.state === "waiting" || (state.state === "held" && state.until <= Date.now()),
  );
  await Promise.all(due.map((one) => handOver(talk, one, host)));
}

async function handOver(talk: Talk, { id, body }: Outgoing, host: Host) {
  if (body.kind === "file" && !(await upload(talk, id, body.bytes, host))) return;
  if (!talk.moves(id, { state: "sending" })) return;
  host.publish();
  await wait(WIRE_MS);
  if (!talk.without(id)) return;
  talk.add(ME, 0, body, plain(body), id);
  host.publish();
}

/** Answers whether the whole file went up. */
async function upload(talk: Talk, id: string, bytes: number, host: Host): Promise<boolean> {
  for (const part of PARTS) {
    if (!talk.moves(id, { state: "uploading", sent: Math.round(part * bytes) })) return false;
    host.publish();
    await host.files.pace();
  }
  return true;
}
