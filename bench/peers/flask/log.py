"""The log in one SQLite file: dense numbers, idempotent sends. Messages and suggestions; all of them are public."""

import json
import re
import sqlite3
import time
import uuid

SCHEMA = """
CREATE TABLE IF NOT EXISTS clinic (rev INTEGER NOT NULL) STRICT;
INSERT INTO clinic SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM clinic);
CREATE TABLE IF NOT EXISTS conversations (
    id TEXT PRIMARY KEY, rev INTEGER NOT NULL, head INTEGER NOT NULL,
    patient TEXT NOT NULL UNIQUE, name TEXT NOT NULL, waiting_since INTEGER) STRICT;
CREATE TABLE IF NOT EXISTS entries (
    conversation TEXT NOT NULL, seq INTEGER NOT NULL, rev INTEGER NOT NULL, id TEXT NOT NULL UNIQUE,
    at INTEGER NOT NULL, author TEXT NOT NULL, body TEXT NOT NULL, preview TEXT NOT NULL,
    PRIMARY KEY (conversation, seq)) STRICT;
"""
TEXT_BYTES = 16 * 1024
PREVIEW_CHARS = 140
SYSTEM = {"id": "system", "role": "system", "name": "Bench"}
UUID7 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


class Refused(Exception):
    """Why a frame isn't done: a code of the protocol."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


def now_ms():
    return time.time_ns() // 1_000_000


def new_id():
    """A UUIDv7 by its form."""
    id = str(uuid.uuid4())
    return f"{id[:14]}7{id[15:]}"


class Log:
    """One connection with its statement cache; the server's lock is held around every call."""

    def __init__(self, path):
        self.db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self.db.execute("PRAGMA journal_mode = WAL")
        self.db.execute("PRAGMA synchronous = FULL")
        self.db.executescript(SCHEMA)

    def _one(self, sql, *values):
        return self.db.execute(sql, values).fetchone()

    def rev(self):
        return self._one("SELECT rev FROM clinic")[0]

    def _bump(self):
        return self._one("UPDATE clinic SET rev = rev + 1 RETURNING rev")[0]

    def _transaction(self, work, *arguments):
        self.db.execute("BEGIN IMMEDIATE")
        try:
            done = work(*arguments)
            self.db.execute("COMMIT")
            return done
        except BaseException:
            self.db.execute("ROLLBACK")
            raise

    def admit(self, patient, name):
        return self._transaction(self._admit, patient, name)

    def _admit(self, patient, name):
        id = f"c-{patient}"
        if self._one("SELECT 1 FROM conversations WHERE id = ?", id) is None:
            self.db.execute(
                "INSERT INTO conversations (id, rev, head, patient, name) VALUES (?, ?, 0, ?, ?)",
                (id, self._bump(), patient, name),
            )
        return id

    def append(self, me, frame):
        """Commits a message. Returns whether it is new, its entry, and its conversation's summary after it."""
        check(frame)
        return self._transaction(self._append, me, frame["id"], frame["conversation"], frame["body"])

    def advise(self, conversation, text):
        """Commits a suggestion. Returns its entry, and its conversation's summary after it."""
        body = {"kind": "suggestion", "task": "reply", "text": text}
        return self._transaction(self._append, SYSTEM, new_id(), conversation, body)[1:]

    def _append(self, me, id, conversation, body):
        row = self._one("SELECT rev, head, patient, name, waiting_since FROM conversations WHERE id = ?", conversation)
        if row is None:
            raise Refused("not_found", "no such conversation")
        rev, head, patient, name, waiting = row
        text = json.dumps(body)
        first = self._one(
            "SELECT conversation, seq, rev, id, at, author, body, preview FROM entries WHERE id = ?", id
        )  # fmt: skip
        if first is not None:
            author = json.loads(first[5])
            if (first[0], author["id"], first[6]) != (conversation, me["id"], text):
                raise Refused("conflict", "this id came before with other content")
            entry = make(*first[:5], author, body, first[7])
            return False, entry, summary(conversation, rev, head, patient, name, waiting, entry)
        author = {"id": me["id"], "role": me["role"], "name": me["name"]}
        at, rev, seq = now_ms(), self._bump(), head + 1
        waiting = {"patient": waiting or at, "system": waiting}.get(me["role"])
        entry = make(conversation, seq, rev, id, at, author, body, " ".join(body["text"].split())[:PREVIEW_CHARS])
        self.db.execute(
            "UPDATE conversations SET head = ?, rev = ?, waiting_since = ? WHERE id = ?",
            (seq, rev, waiting, conversation),
        )
        self.db.execute(
            "INSERT INTO entries (conversation, seq, rev, id, at, author, body, preview) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (conversation, seq, rev, id, at, json.dumps(author), text, entry["preview"]),
        )
        return True, entry, summary(conversation, rev, seq, patient, name, waiting, entry)


def make(conversation, seq, rev, id, at, author, body, preview):
    return {
        "conversation": conversation,
        "seq": seq,
        "rev": rev,
        "id": id,
        "at": at,
        "author": author,
        "body": body,
        "preview": preview,
    }


def summary(id, rev, head, patient, name, waiting_since, last):
    return {
        "id": id,
        "rev": rev,
        "head": head,
        "patient": {"id": patient, "name": name, "born": None},
        "state": "open",
        "assigned": None,
        "urgency": None,
        "waiting_since": waiting_since,
        "last": {key: last[key] for key in ("seq", "at", "author", "preview")},
        "read": {},
    }


def check(frame):
    if not isinstance(frame, dict):
        raise Refused("invalid", "a frame is an object")
    id, body = frame.get("id"), frame.get("body")
    whole = isinstance(id, str) and UUID7.fullmatch(id) and isinstance(frame.get("conversation"), str)
    if not whole or not isinstance(frame.get("seen"), int):
        raise Refused("invalid", "fields are missing or wrong")
    text = body.get("text") if isinstance(body, dict) and body.get("kind") == "text" else None
    if not isinstance(text, str) or not text.strip():
        raise Refused("invalid", "only texts are taken here")
    if len(text.encode(errors="replace")) > TEXT_BYTES:
        raise Refused("too_large", "the text is too long")
