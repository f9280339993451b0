/**
 * A chat server on Node's socket.io and better-sqlite3, as one would write it for production: prepared statements, one
 * transaction a message (WAL, synchronous FULL), one encoding for all receivers of a broadcast. The benchmarks compare
 * it with Bedside's server at the same work. It speaks `send`, `welcome`, `heartbeat`, `entry` and `rejected` of
 * docs/protocol.md; catching up it leaves out.
 *
 *     node server.mjs --port 8792 --db FILE
 */
import { randomBytes } from "node:crypto";
import { createServer } from "node:http";
import { parseArgs } from "node:util";
import { Server } from "socket.io";
import { Refused, openLog } from "./log.mjs";

const HEARTBEAT_MS = 10_000;
const LIMITS = { text_bytes: 16_384, frame_bytes: 131_072, sends_per_s: 1_000_000 };
const CLINIC = "bench";

const { values: options } = parseArgs({
  options: { port: { type: "string", default: "8792" }, db: { type: "string" } },
});
if (!options.db) throw new Error("usage: node server.mjs --port PORT --db FILE");

const log = openLog(options.db);
const accounts = new Map();

const http = createServer(async (request, response) => {
  const answer = (status, body) => {
    response.writeHead(status, { "content-type": "application/json" });
    response.end(JSON.stringify(body));
  };
  if (request.method === "GET" && request.url === "/healthz") return answer(200, "ok");
  if (request.method !== "POST" || request.url !== "/api/demo/sign-in") return answer(404, {});
  let text = "";
  for await (const chunk of request) text += chunk;
  try {
    answer(200, signIn(JSON.parse(text)));
  } catch {
    answer(400, { error: { code: "invalid", message: "role and name are missing" } });
  }
});

function signIn({ role, name }) {
  if (!["provider", "patient"].includes(role) || typeof name !== "string") throw new Refused("invalid", "");
  const id = `${role}-${name.toLowerCase().replace(/[^a-z0-9]+/g, "-")}`;
  const token = randomBytes(24).toString("base64url");
  const conversation = role === "patient" ? log.admit(id, name) : undefined;
  accounts.set(token, { me: { id, name, role, clinic: CLINIC }, conversation });
  return { token, id, conversation };
}

const io = new Server(http, { serveClient: false });
const providers = io.of("/provider");
const patients = io.of("/patient");

for (const [namespace, role] of [
  [providers, "provider"],
  [patients, "patient"],
]) {
  namespace.use((socket, next) => {
    const { token, protocol } = socket.handshake.auth;
    const account = accounts.get(token);
    if (protocol !== 1) return next(new Error("protocol"));
    if (account?.me.role !== role) return next(new Error("unauthenticated"));
    socket.data = account;
    next();
  });
  namespace.on("connection", (socket) => {
    const { me, conversation } = socket.data;
    if (conversation) socket.join(conversation);
    const now = Date.now();
    socket.emit("welcome", { me, rev: log.rev(), heartbeat_ms: HEARTBEAT_MS, now, limits: LIMITS, policy: {} });
    socket.on("send", (frame) => send(socket, frame));
  });
  setInterval(() => namespace.emit("heartbeat", { rev: log.rev(), now: Date.now() }), HEARTBEAT_MS);
}

function send(socket, frame) {
  const { me, conversation } = socket.data;
  try {
    if (conversation && frame?.conversation !== conversation) throw new Refused("not_found", "no such conversation");
    const { isNew, entry, summary } = log.append(me, frame);
    const { prev, ...internal } = entry;
    const toProviders = { entry: internal, conversation: summary };
    const toPatient = { entry: { ...internal, prev }, conversation: summary };
    if (isNew) {
      providers.emit("entry", toProviders);
      patients.to(entry.conversation).emit("entry", toPatient);
    } else {
      socket.emit("entry", me.role === "patient" ? toPatient : toProviders);
    }
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    const { code, message } = error;
    socket.emit("rejected", { of: "send", id: frame?.id, conversation: frame?.conversation, code, message });
  }
}

http.listen(Number(options.port), "127.0.0.1", () => {
  console.log(`listening on http://127.0.0.1:${http.address().port}`);
});
process.on("SIGTERM", () => process.exit(0));
