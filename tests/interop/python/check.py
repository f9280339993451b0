"""Asserts the heart of the protocol from outside with python-socketio, over both transports:

    python check.py http://127.0.0.1:8790

The server runs with --demo. One line a check; exit code 1 if one failed. tests/interop/node asserts all of it; this
is the second, independent client.
"""

import os
import queue
import sys
import time
import uuid

import requests
import socketio
from engineio.payload import Payload

# One answer to a poll may carry a whole burst of frames; past the library's 16 it would end the connection.
Payload.max_decode_packets = 1_000
# Generous: a machine that builds and tests at once is slow.
PATIENCE_S = 20
# As many sends as every server takes at once: twice its sends a second.
BURST = 40
# Names of this run alone, so that it can be repeated on the same server.
RUN = uuid.uuid4().hex[:12]


def uuidv7():
    """A UUID of version 7."""
    milliseconds = time.time_ns() // 1_000_000
    random = int.from_bytes(os.urandom(10))
    value = milliseconds << 80 | 0x7 << 76 | (random >> 68 & 0xFFF) << 64 | 0b10 << 62 | random & (1 << 62) - 1
    return str(uuid.UUID(int=value))


def text(words):
    return {"kind": "text", "text": words}


def sign_in(server, role, name):
    answer = requests.post(f"{server}/api/demo/sign-in", json={"role": role, "name": name}, timeout=PATIENCE_S)
    answer.raise_for_status()
    return answer.json()


class Peer:
    """One connection to one namespace; its frames wait in a queue."""

    def __init__(self, server, role, token, transport, protocol=1):
        self.namespace = f"/{role}"
        self.arrived = queue.Queue()
        self.refusal = None
        self.io = socketio.Client(reconnection=False)
        self.io.on("*", lambda event, data=None: self.arrived.put((event, data)), namespace=self.namespace)
        self.io.on("connect_error", self._refused, namespace=self.namespace)
        auth = {"token": token, "device": "interop-python", "protocol": protocol, "client": "interop-python/0.1.0"}
        self.io.connect(server, auth=auth, namespaces=[self.namespace], transports=[transport], wait_timeout=PATIENCE_S)

    def _refused(self, data):
        self.refusal = data["message"] if isinstance(data, dict) else data

    def emit(self, event, data):
        self.io.emit(event, data, namespace=self.namespace)

    def next(self, event, fits=lambda data: True):
        """The next frame of that event that fits; those before it are dropped."""
        until = time.monotonic() + PATIENCE_S
        while True:
            try:
                came, data = self.arrived.get(timeout=max(0, until - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"no such {event}") from None
            if came == event and fits(data):
                return data

    def ask(self, what, data, event, fits=lambda data: True):
        self.emit(what, data)
        return self.next(event, fits)

    def rejects(self, event, data, code):
        """Expects the refusal; for the server's pace it waits."""
        while (frame := self.ask(event, data, "rejected", lambda frame: frame["of"] == event))["code"] == "rate_limited":
            time.sleep(frame["retry_after_ms"] / 1000)
        assert frame["code"] == code, frame

    def send(self, conversation, body, id=None, seen=0, **more):
        """Sends, and answers the entry."""
        id = id or uuidv7()
        frame = {"id": id, "conversation": conversation, "seen": seen, "body": body, **more}
        return self.ask("send", frame, "entry", lambda data: data["entry"]["id"] == id)["entry"]

    def close(self):
        self.io.disconnect()


class World:
    """A provider and a patient, freshly signed in over one transport."""

    def __init__(self, server, transport):
        self.server, self.transport = server, transport
        self.accounts = {
            role: sign_in(server, role, f"Python {role} {transport} {RUN}") for role in ("provider", "patient")
        }
        self.conversation = self.accounts["patient"]["conversation"]
        self.provider, self.patient = self.peer("provider"), self.peer("patient")

    def peer(self, role, **options):
        return Peer(self.server, role, options.pop("token", self.accounts[role]["token"]), self.transport, **options)

    def refused(self, role, **options):
        peer = Peer.__new__(Peer)
        try:
            peer.__init__(self.server, role, options.pop("token", self.accounts[role]["token"]), self.transport, **options)
        except socketio.exceptions.ConnectionError:
            return peer.refusal
        raise AssertionError("accepted")


def welcome_is_first(world):
    for role in ("provider", "patient"):
        event, data = getattr(world, role).arrived.get(timeout=PATIENCE_S)
        assert event == "welcome", event
        assert (data["me"]["role"], data["me"]["id"]) == (role, world.accounts[role]["id"])


def heartbeats_come(world):
    assert world.patient.next("heartbeat")["rev"] >= 0


def a_send_comes_back_as_its_entry(world):
    body = text("Grüße 👩🏽‍⚕️ <b>no markup</b>\n\tend")
    entry = world.patient.send(world.conversation, body)
    seen = world.provider.next("entry", lambda data: data["entry"]["id"] == entry["id"])["entry"]
    assert entry["body"] == seen["body"] == body
    assert (entry["seq"], entry["prev"], entry["author"]["role"]) == (1, 0, "patient")


def the_same_id_is_the_same_entry(world):
    id, twin = uuidv7(), world.peer("patient")
    first = world.patient.send(world.conversation, text("once"), id)
    assert world.patient.send(world.conversation, text("once"), id)["seq"] == first["seq"]
    assert twin.send(world.conversation, text("once"), id)["seq"] == first["seq"]
    world.patient.rejects("send", {"id": id, "conversation": world.conversation, "seen": 0, "body": text("twice")}, "conflict")
    twin.close()


def refusals_are_named_and_the_connection_stays(world):
    frame = {"id": uuidv7(), "conversation": world.conversation, "seen": 0, "body": text("x")}
    world.patient.rejects("send", {**frame, "body": {"kind": "note", "text": "n", "mentions": []}}, "forbidden")
    world.patient.rejects("send", {**frame, "conversation": "nowhere"}, "not_found")
    world.patient.rejects("send", {**frame, "id": "7"}, "invalid")
    world.patient.rejects("send", {**frame, "body": text("x" * 100_000)}, "too_large")
    world.patient.rejects("no_such_event", {}, "invalid")
    assert world.patient.send(world.conversation, text("still here"))


def bad_tokens_and_versions_are_refused_by_a_bare_code(world):
    assert world.refused("patient", token="garbage") == "unauthenticated"
    assert world.refused("provider", token=world.accounts["patient"]["token"]) == "unauthenticated"
    assert world.refused("patient", protocol=2) == "protocol"


def who_comes_late_catches_up(world):
    rev = world.patient.ask("changes", {"since": 0}, "changes")["rev"]
    world.patient.close()
    written = [world.provider.send(world.conversation, text(words), force=True)["id"] for words in ("one", "two")]
    world.patient = world.peer("patient")
    changes = world.patient.ask("changes", {"since": rev}, "changes")
    (own,) = changes["conversations"]
    assert own["id"] == world.conversation
    entries = world.patient.ask("entries", {"conversation": own["id"], "from": 1, "to": own["head"]}, "entries")["entries"]
    assert [entry["id"] for entry in entries][-2:] == written
    assert [entry["prev"] for entry in entries] == [0] + [entry["seq"] for entry in entries][:-1]


def acknowledgements_come_where_asked_for(world):
    def call(body):
        frame = {"id": uuidv7(), "conversation": world.conversation, "seen": 0, "body": body}
        return world.patient.io.call("send", frame, namespace=world.patient.namespace, timeout=PATIENCE_S)

    assert "ok" in call(text("acked"))
    assert call({"kind": "note", "text": "n", "mentions": []})["error"]["code"] == "forbidden"


def read_marks_give_a_receipt(world):
    head = world.patient.send(world.conversation, text("read me"))["seq"]
    world.provider.emit("read", {"conversation": world.conversation, "upto": head})
    assert world.patient.next("receipt")["upto"] == head


def typing_reaches_the_other_side(world):
    world.patient.emit("typing", {"conversation": world.conversation})
    assert world.provider.next("typing")["who"]["id"] == world.accounts["patient"]["id"]
    world.provider.emit("typing", {"conversation": world.conversation})
    assert world.patient.next("typing")["who"]["id"] == world.accounts["provider"]["id"]


def a_burst_keeps_its_order(world):
    account = sign_in(world.server, "patient", f"Python burst {world.transport} {RUN}")
    hasty, ids = world.peer("patient", token=account["token"]), [uuidv7() for _ in range(BURST)]
    for id in ids:
        hasty.emit("send", {"id": id, "conversation": account["conversation"], "seen": 0, "body": text(id)})
    own = lambda data: data["entry"]["id"] in ids  # noqa: E731
    for peer in (hasty, world.provider):
        entries = [peer.next("entry", own)["entry"] for _ in ids]
        assert [entry["id"] for entry in entries] == ids
        assert all(a["seq"] < b["seq"] for a, b in zip(entries, entries[1:]))
    hasty.close()


CHECKS = [
    welcome_is_first,
    heartbeats_come,
    a_send_comes_back_as_its_entry,
    the_same_id_is_the_same_entry,
    refusals_are_named_and_the_connection_stays,
    bad_tokens_and_versions_are_refused_by_a_bare_code,
    who_comes_late_catches_up,
    acknowledgements_come_where_asked_for,
    read_marks_give_a_receipt,
    typing_reaches_the_other_side,
    a_burst_keeps_its_order,
]


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: check.py URL")
    server, failed = sys.argv[1].rstrip("/"), 0
    for transport in ("websocket", "polling"):
        world = World(server, transport)
        for check in CHECKS:
            label = f"{transport}: {check.__name__.replace('_', ' ')}"
            try:
                check(world)
                print(f"ok   {label}", flush=True)
            except Exception as error:  # noqa: BLE001: whatever it is, this check has failed and the others go on
                failed += 1
                print(f"FAIL {label}: {type(error).__name__} {error}", flush=True)
        world.provider.close()
        world.patient.close()
    print("all passed" if failed == 0 else f"{failed} failed", flush=True)
    # The library's threads may still wait for a poll to end.
    os._exit(0 if failed == 0 else 1)


if __name__ == "__main__":
    main()
