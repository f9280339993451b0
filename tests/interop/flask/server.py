"""A small chat server on Flask-SocketIO that speaks the protocol of docs/protocol.md.

It is there so that the console's core is tried against a Socket.IO stack that isn't ours. It has all that a console
needs; suggestions, the wait-time message, rate limits and revocation it leaves out.
"""

import argparse
import json
import re
import secrets
import threading

import socketio as sio
from engineio.payload import Payload
from flask import Flask, request
from flask_socketio import ConnectionRefusedError, Namespace, SocketIO
from itsdangerous import BadSignature, SignatureExpired, URLSafeTimedSerializer
from werkzeug.serving import WSGIRequestHandler, make_server

from bodies import FRAME_BYTES, TEXT_BYTES, Refused, entry_id, field, invalid, number, text_id
from log import Log, now_ms

PROTOCOL = 1
# Rooms: all that have been welcomed, and the providers among them. A patient's is named after the conversation.
WELCOMED = "welcomed"
PROVIDERS = "providers"
CLINIC = "flask"
ENTRIES_PAGE = 200
CHANGES_PAGE = 500
TYPING_MS = 6_000
TOKEN_S = 24 * 3600
# Room for the frames that the protocol refuses by a code; beyond it the transport closes.
TRANSPORT_BYTES = 32 * 1024 * 1024


class Chat:
    """What both namespaces share: the log, who is connected, and one lock that makes commit and fan-out one step."""

    def __init__(self, log, heartbeat_ms):
        self.log = log
        self.heartbeat_ms = heartbeat_ms
        self.lock = threading.RLock()
        self.people = {}
        self.tokens = URLSafeTimedSerializer(log.secret())

    def sign_in(self, role, name):
        slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40] or "nobody"
        me = {"id": f"{role}-{slug}", "name": name, "role": role, "clinic": CLINIC}
        answer = {"token": self.tokens.dumps(me), "id": me["id"]}
        if role == "patient":
            answer["conversation"] = f"conversation-{slug}"
            with self.lock:
                if self.log.admit(me["id"], name, answer["conversation"]):
                    self.tell_summary(answer["conversation"])
        return answer

    def accept(self, auth, role):
        """Who connects. Raises the protocol's bare code."""
        if not isinstance(auth, dict):
            raise ConnectionRefusedError("unauthenticated")
        if auth.get("protocol") != PROTOCOL:
            raise ConnectionRefusedError("protocol")
        try:
            me = self.tokens.loads(auth.get("token", ""), max_age=TOKEN_S)
        except SignatureExpired:
            raise ConnectionRefusedError("expired") from None
        except (BadSignature, TypeError):
            raise ConnectionRefusedError("unauthenticated") from None
        if me["role"] != role:
            raise ConnectionRefusedError("unauthenticated")
        return me

    def welcome(self, sid, namespace):
        """The first event of an accepted connection; from now on it hears of changes."""
        me = self.people[sid]
        with self.lock:
            welcome = {
                "me": me,
                "rev": self.log.rev(),
                "epoch": self.log.epoch(),
                "heartbeat_ms": self.heartbeat_ms,
                "now": now_ms(),
                "limits": {"text_bytes": TEXT_BYTES, "frame_bytes": FRAME_BYTES, "sends_per_s": 1_000_000},
                "policy": {},
            }
            socketio.emit("welcome", welcome, namespace=namespace, to=sid)
            room = PROVIDERS if me["role"] == "provider" else self.log.conversation_of(me)
            for room in filter(None, (WELCOMED, room)):
                socketio.server.enter_room(sid, room, namespace=namespace)

    # ---- fan-out, with the lock held

    def tell_summary(self, conversation):
        self.to_providers("conversation", {"conversation": self.log.summary(conversation, False)})
        self.to_patient(conversation, "conversation", {"conversation": self.log.summary(conversation, True)})

    def tell_entry(self, id, conversation):
        self.to_providers("entry", self.frame(id, conversation, False))
        if self.log.is_public(id):
            self.to_patient(conversation, "entry", self.frame(id, conversation, True))

    def frame(self, id, conversation, patient):
        return {"entry": self.log.entry(id, patient), "conversation": self.log.summary(conversation, patient)}

    @staticmethod
    def to_providers(event, data, skip=None):
        socketio.emit(event, data, namespace="/provider", to=PROVIDERS, skip_sid=skip)

    @staticmethod
    def to_patient(conversation, event, data):
        socketio.emit(event, data, namespace="/patient", to=conversation)


class Door(Namespace):
    """One namespace. Every event comes through `trigger_event`: known frames are done, all else is refused by a code."""

    def __init__(self, namespace, role, chat):
        super().__init__(namespace)
        self.role = role
        self.chat = chat

    def on_connect(self, auth=None):
        self.chat.people[request.sid] = self.chat.accept(auth, self.role)

    def on_disconnect(self, *_):
        self.chat.people.pop(request.sid, None)

    def trigger_event(self, event, *args):
        if event in ("connect", "disconnect"):
            return super().trigger_event(event, *args)
        return self.socketio._handle_event(lambda *data: self.frame(event, *data), event, self.namespace, *args)

    def frame(self, event, *args):
        """Does one frame; what it returns is the acknowledgement of those who ask for one."""
        data = args[0] if args and isinstance(args[0], dict) else {}
        do = {"send": self.send, "changes": self.changes, "entries": self.entries, "read": self.read,
              "typing": self.typing, "viewing": self.viewing}.get(event)  # fmt: skip
        try:
            if do is None or not args or data is not args[0]:
                raise invalid("no such event, or not its argument")
            if len(json.dumps(data)) > FRAME_BYTES:
                raise Refused("too_large", f"a frame has at most {FRAME_BYTES} bytes")
            with self.chat.lock:
                return {"ok": do(self.chat.people[request.sid], data)}
        except Refused as refused:
            about = {"of": event, **refused.error}
            about |= {key: data[key] for key in ("id", "conversation") if isinstance(data.get(key), str)}
            self.emit("rejected", about, room=request.sid)
            return {"error": refused.error}

    def send(self, me, data):
        origin = data.get("from")
        if origin is not None:
            origin = {"suggestion": entry_id(origin, "suggestion"), "edited": field(origin, "edited", bool)}
        force = data.get("force", False)
        if not isinstance(force, bool):
            raise invalid()
        conversation = text_id(data, "conversation")
        id, new = self.chat.log.send(me, {
            "id": entry_id(data, "id"),
            "conversation": conversation,
            "seen": number(data, "seen"),
            "body": field(data, "body", dict),
            "origin": origin,
            "force": force,
        })  # fmt: skip
        if new:
            self.chat.tell_entry(id, conversation)
        else:
            self.emit("entry", self.chat.frame(id, conversation, self.role == "patient"), room=request.sid)
        return {"entry": self.chat.log.entry(id, self.role == "patient")}

    def changes(self, me, data):
        limit = CHANGES_PAGE
        if data.get("limit") is not None:
            limit = max(1, min(limit, number(data, "limit")))
        if data.get("epoch", self.chat.log.epoch()) != self.chat.log.epoch():
            raise Refused("diverged", "the log isn't the one that the copy is of")
        answer = self.chat.log.changes(me, number(data, "since"), limit)
        self.emit("changes", answer, room=request.sid)
        return answer

    def entries(self, me, data):
        conversation, first, last = text_id(data, "conversation"), number(data, "from"), number(data, "to")
        if not 1 <= first <= last < first + ENTRIES_PAGE:
            raise invalid(f"a range has 1 to {ENTRIES_PAGE} entries")
        answer = {
            "conversation": conversation,
            "from": first,
            "to": last,
            "entries": self.chat.log.entries(me, conversation, first, last),
            "head": self.chat.log.head(conversation, self.role == "patient"),
        }
        self.emit("entries", answer, room=request.sid)
        return answer

    def read(self, me, data):
        conversation, upto = text_id(data, "conversation"), number(data, "upto")
        moved = self.chat.log.read(me, conversation, upto)
        if moved:
            self.chat.tell_summary(conversation)
            if self.role == "provider":
                receipt = {"conversation": conversation, "upto": min(upto, self.chat.log.head(conversation, True))}
                self.chat.to_patient(conversation, "receipt", receipt)
        else:
            summary = self.chat.log.summary(conversation, self.role == "patient")
            self.emit("conversation", {"conversation": summary}, room=request.sid)
        return {}

    def typing(self, me, data):
        conversation = text_id(data, "conversation")
        self.chat.log.may_see(me, conversation)
        frame = {"conversation": conversation, "who": self.who(me), "until": now_ms() + TYPING_MS}
        self.chat.to_providers("typing", frame, skip=request.sid)
        if self.role == "provider":
            self.chat.to_patient(conversation, "typing", frame)
        return {}

    def viewing(self, me, data):
        conversation = field(data, "conversation", str, type(None))
        if self.role != "provider":
            raise Refused("forbidden", "patients have no colleagues")
        if conversation is not None:
            self.chat.log.may_see(me, conversation)
        presence = {"who": self.who(me), "viewing": conversation, "state": "online"}
        self.chat.to_providers("presence", presence, skip=request.sid)
        return {}

    @staticmethod
    def who(me):
        return {key: me[key] for key in ("id", "role", "name")}


class Rooms(sio.Manager):
    """Says `welcome` once the library has told the client that it is connected: its connect handler runs before that,
    and its broadcasts to a whole namespace would reach sockets that aren't accepted yet."""

    chat = None

    def connect(self, sid, namespace):
        sid = super().connect(sid, namespace)
        self.chat.welcome(sid, namespace)
        return sid


# A client that polls may put a burst of frames into one request; the library's 16 would end its connection.
Payload.max_decode_packets = 1_000

app = Flask(__name__)
rooms = Rooms()
# Handlers run in their socket's own thread, one after the other: what one client sends is handled in its order.
socketio = SocketIO(app, async_mode="threading", async_handlers=False, max_http_buffer_size=TRANSPORT_BYTES, client_manager=rooms)


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--port", type=int, default=8791)
    options.add_argument("--db", default=":memory:", help="the SQLite file; without it all is forgotten at the end")
    options.add_argument("--heartbeat-ms", type=int, default=5_000)
    options = options.parse_args()
    chat = Chat(Log(options.db, secrets.token_hex()), options.heartbeat_ms)
    rooms.chat = chat
    socketio.on_namespace(Door("/provider", "provider", chat))
    socketio.on_namespace(Door("/patient", "patient", chat))

    @app.get("/healthz")
    def healthz():
        return "ok"

    @app.post("/api/demo/sign-in")
    def sign_in():
        body = request.get_json(silent=True) or {}
        role, name = body.get("role"), body.get("name")
        if role not in ("provider", "patient") or not isinstance(name, str) or not name.strip():
            return {"error": "role and name are missing"}, 400
        return chat.sign_in(role, name.strip())

    def heartbeat():
        while True:
            socketio.sleep(chat.heartbeat_ms / 1000)
            with chat.lock:
                beat = {"rev": chat.log.rev(), "now": now_ms()}
                for namespace in ("/provider", "/patient"):
                    socketio.emit("heartbeat", beat, namespace=namespace, to=WELCOMED)

    # Bound before it says so, and quiet: its access log would hold tokens.
    WSGIRequestHandler.log = lambda *_: None
    server = make_server("127.0.0.1", options.port, app, threaded=True)
    print(f"listening on http://127.0.0.1:{server.server_port}", flush=True)
    socketio.start_background_task(heartbeat)
    server.serve_forever()


if __name__ == "__main__":
    main()
