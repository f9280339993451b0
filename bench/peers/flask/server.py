"""A chat server on Flask-SocketIO and SQLite, as one would run it for production: gevent (a message costs it
a third of the processor time that threads take), one transaction a message (WAL, synchronous FULL), one encoding for
all receivers of a broadcast. The benchmarks compare it with Bedside's server at the same work. It speaks `send`, `welcome`, `heartbeat`,
`entry` and `rejected` of docs/protocol.md; catching up it leaves out.

    python server.py --port 8791 --db FILE

A text that contains JOB_MARK needs a model, whose work is a second of waiting: here as a background task of the library.
With --queue ADDRESS of an SQS server it is the older design instead (legacy.py).
"""

# ruff: noqa: E402: what is imported after this line works with gevent.
from gevent import monkey

monkey.patch_all()

import argparse
import re
import secrets
import threading

import socketio as sio
from flask import Flask, request
from flask_socketio import ConnectionRefusedError, SocketIO
from gevent.pywsgi import WSGIServer
from geventwebsocket.handler import WebSocketHandler

from log import TEXT_BYTES, Log, Refused, check, now_ms

HEARTBEAT_MS = 10_000
LIMITS = {"text_bytes": TEXT_BYTES, "frame_bytes": 128 * 1024, "sends_per_s": 1_000_000}
CLINIC = "bench"
PROVIDERS = "providers"
JOB_MARK = "[needs a model]"
JOB_SECONDS = 1

log = None
queue = None
lock = threading.Lock()
accounts = {}
people = {}


class Rooms(sio.Manager):
    """Says `welcome` once the library has told the client that it is connected: its connect handler runs before."""

    def connect(self, sid, namespace):
        sid = super().connect(sid, namespace)
        me, conversation = people[sid]
        with lock:
            rev = log.rev()
        welcome = {
            "me": me,
            "rev": rev,
            "heartbeat_ms": HEARTBEAT_MS,
            "now": now_ms(),
            "limits": LIMITS,
            "policy": {},
        }
        socketio.emit("welcome", welcome, namespace=namespace, to=sid)
        self.server.enter_room(sid, conversation or PROVIDERS, namespace=namespace)
        return sid


app = Flask(__name__)
# Handlers run in their socket's own greenlet, one after the other: what one client sends is handled in its order.
socketio = SocketIO(app, async_mode="gevent", async_handlers=False, client_manager=Rooms())


@app.get("/healthz")
def healthz():
    return "ok"


@app.post("/api/demo/sign-in")
def sign_in():
    body = request.get_json(silent=True) or {}
    role, name = body.get("role"), body.get("name")
    if role not in ("provider", "patient") or not isinstance(name, str):
        return {"error": {"code": "invalid", "message": "role and name are missing"}}, 400
    me = {"id": f"{role}-{re.sub(r'[^a-z0-9]+', '-', name.lower())}", "name": name, "role": role, "clinic": CLINIC}
    token, conversation = secrets.token_urlsafe(24), None
    if role == "patient":
        with lock:
            conversation = log.admit(me["id"], name)
    accounts[token] = (me, conversation)
    return {"token": token, "id": me["id"], **({"conversation": conversation} if conversation else {})}


def frames(entry, summary):
    """What tells the providers and the patient of an entry."""
    own = {**entry, "prev": entry["seq"] - 1}
    return {"entry": entry, "conversation": summary}, {"entry": own, "conversation": summary}


def publish(entry, summary):
    to_providers, to_patient = frames(entry, summary)
    socketio.emit("entry", to_providers, namespace="/provider", to=PROVIDERS)
    socketio.emit("entry", to_patient, namespace="/patient", to=entry["conversation"])


def commit(me, frame):
    """Commits a message and tells everybody, unless it was known. Returns whether it is new, and its frames."""
    with lock:
        new, entry, summary = log.append(me, frame)
        if new:
            publish(entry, summary)
    return new, frames(entry, summary)


def job(conversation):
    """A model's work, and its result as an entry."""
    socketio.sleep(JOB_SECONDS)
    with lock:
        publish(*log.advise(conversation, "Rest, and call us if it gets worse"))


def handle(me, frame):
    """A consumer's work on one message of the queue."""
    commit(me, frame)
    if JOB_MARK in frame["body"]["text"]:
        job(frame["conversation"])


def serve(namespace, role):
    @socketio.on("connect", namespace=namespace)
    def connect(auth=None):
        auth = auth if isinstance(auth, dict) else {}
        if auth.get("protocol") != 1:
            raise ConnectionRefusedError("protocol")
        account = accounts.get(auth.get("token"))
        if account is None or account[0]["role"] != role:
            raise ConnectionRefusedError("unauthenticated")
        people[request.sid] = account

    @socketio.on("disconnect", namespace=namespace)
    def disconnect(*_):
        people.pop(request.sid, None)

    @socketio.on("send", namespace=namespace)
    def send(frame=None):
        me, own = people[request.sid]
        try:
            if own is not None and (not isinstance(frame, dict) or frame.get("conversation") != own):
                raise Refused("not_found", "no such conversation")
            if queue is not None:
                check(frame)
                queue.put(me, frame)
                return
            new, (to_providers, to_patient) = commit(me, frame)
            if new and JOB_MARK in frame["body"]["text"]:
                socketio.start_background_task(job, frame["conversation"])
            if not new:
                again = to_patient if role == "patient" else to_providers
                socketio.emit("entry", again, namespace=namespace, to=request.sid)
        except Refused as refused:
            about = {"of": "send", "code": refused.code, "message": str(refused)}
            about |= {key: frame[key] for key in ("id", "conversation") if isinstance(frame, dict) and key in frame}
            socketio.emit("rejected", about, namespace=namespace, to=request.sid)


def heartbeat():
    while True:
        socketio.sleep(HEARTBEAT_MS / 1000)
        with lock:
            rev = log.rev()
        for namespace in ("/provider", "/patient"):
            socketio.emit("heartbeat", {"rev": rev, "now": now_ms()}, namespace=namespace)


def main():
    global log, queue
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--port", type=int, default=8791)
    options.add_argument("--db", required=True, help="the SQLite file")
    options.add_argument("--queue", help="address of the SQS server that each message goes through")
    options.add_argument("--visibility", type=int, default=30, help="seconds until a message is handed out again")
    options = options.parse_args()
    log = Log(options.db)
    if options.queue:
        import legacy

        queue = legacy.Queue(options.queue, options.visibility)
        queue.consume(handle)
    serve("/provider", "provider")
    serve("/patient", "patient")
    server = WSGIServer(("127.0.0.1", options.port), app, handler_class=WebSocketHandler, log=None)
    server.start()
    print(f"listening on http://127.0.0.1:{server.server_port}", flush=True)
    socketio.start_background_task(heartbeat)
    server.serve_forever()


if __name__ == "__main__":
    main()
