"""The log: dense numbers, idempotent sends and read marks in one SQLite file."""

import hashlib
import json
import sqlite3
import time

from bodies import MESSAGES, PUBLIC, WRITERS, Refused, check, preview

SCHEMA = """
CREATE TABLE IF NOT EXISTS clinic (rev INTEGER NOT NULL, secret TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS conversations (
    id TEXT PRIMARY KEY, rev INTEGER NOT NULL, head INTEGER NOT NULL, patient TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL, state TEXT NOT NULL, until INTEGER, assigned TEXT, waiting_since INTEGER) STRICT;
CREATE TABLE IF NOT EXISTS entries (
    conversation TEXT NOT NULL, seq INTEGER NOT NULL, rev INTEGER NOT NULL, id TEXT NOT NULL UNIQUE,
    at INTEGER NOT NULL, author TEXT NOT NULL, author_id TEXT NOT NULL, role TEXT NOT NULL, body TEXT NOT NULL,
    preview TEXT NOT NULL, origin TEXT, public INTEGER NOT NULL, message INTEGER NOT NULL, prev INTEGER NOT NULL,
    PRIMARY KEY (conversation, seq)) STRICT;
CREATE TABLE IF NOT EXISTS reads (
    conversation TEXT NOT NULL, reader TEXT NOT NULL, upto INTEGER NOT NULL,
    PRIMARY KEY (conversation, reader)) STRICT;
"""


def now_ms():
    return time.time_ns() // 1_000_000


class Log:
    """Every method is called with the server's lock held: one connection, one writer, one order."""

    def __init__(self, path, secret):
        self.db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self.db.row_factory = sqlite3.Row
        self.db.execute("PRAGMA journal_mode = WAL")
        self.db.execute("PRAGMA synchronous = FULL")
        self.db.executescript(SCHEMA)
        if self.one("SELECT 1 FROM clinic") is None:
            self.db.execute("INSERT INTO clinic (rev, secret) VALUES (0, ?)", [secret])

    def one(self, sql, *values):
        return self.db.execute(sql, values).fetchone()

    def rev(self):
        return self.one("SELECT rev FROM clinic")["rev"]

    def secret(self):
        return self.one("SELECT secret FROM clinic")["secret"]

    def epoch(self):
        """This log's life. It never goes back to an older copy of itself, so one is enough."""
        return hashlib.sha256(self.secret().encode()).hexdigest()[:20]

    def _bump(self):
        return self.one("UPDATE clinic SET rev = rev + 1 RETURNING rev")["rev"]

    def _transaction(self, work):
        self.db.execute("BEGIN IMMEDIATE")
        try:
            done = work()
            self.db.execute("COMMIT")
            return done
        except BaseException:
            self.db.execute("ROLLBACK")
            raise

    def admit(self, patient, name, conversation):
        """Gives a patient a conversation. True if it is new."""

        def work():
            if self.one("SELECT 1 FROM conversations WHERE id = ?", conversation):
                return False
            self.db.execute(
                "INSERT INTO conversations (id, rev, head, patient, name, state) VALUES (?, ?, 0, ?, ?, 'open')",
                [conversation, self._bump(), patient, name],
            )
            return True

        return self._transaction(work)

    def conversation_of(self, me):
        row = self.one("SELECT id FROM conversations WHERE patient = ?", me["id"])
        return row and row["id"]

    def may_see(self, me, conversation):
        """Refuses a conversation that isn't there, or isn't this person's to know of."""
        row = self.one("SELECT patient FROM conversations WHERE id = ?", conversation)
        if row is None or (me["role"] == "patient" and row["patient"] != me["id"]):
            raise Refused("not_found", "no such conversation")

    def send(self, me, frame):
        """Commits an entry. Returns its id, and whether it is new."""
        return self._transaction(lambda: self._send(me, **frame))

    def _send(self, me, id, conversation, seen, body, origin, force):
        first = self.one("SELECT * FROM entries WHERE id = ?", id)
        if first is not None:
            same = (first["conversation"], first["author_id"], json.loads(first["body"])) == (conversation, me["id"], body)
            if not same or json.loads(first["origin"] or "null") != origin:
                raise Refused("conflict", "this id came before with other content")
            return id, False
        self.may_see(me, conversation)
        kind = check(body)
        if me["role"] not in WRITERS[kind] or (origin and me["role"] != "provider"):
            raise Refused("forbidden", "this kind of entry isn't the author's to write")
        public = kind in PUBLIC
        if kind == "amend":
            target = self.one("SELECT * FROM entries WHERE id = ? AND conversation = ?", body["target"], conversation)
            if target is None or (me["role"] == "patient" and not target["public"]):
                raise Refused("not_found", "no such entry to amend")
            if target["author_id"] != me["id"]:
                raise Refused("forbidden", "only its author amends an entry")
            public = bool(target["public"])
        if kind == "text" and me["role"] == "provider" and not force and self._newer(me, conversation, seen):
            raise Refused("behind", "something newer is there that the writer hadn't seen")

        at, rev = now_ms(), self._bump()
        prev = self.one("SELECT coalesce(max(seq), 0) AS seq FROM entries WHERE conversation = ? AND public", conversation)
        head = self.one("UPDATE conversations SET head = head + 1, rev = ? WHERE id = ? RETURNING head", rev, conversation)
        message = kind in MESSAGES
        author = {"id": me["id"], "role": me["role"], "name": me["name"]}
        self.db.execute(
            "INSERT INTO entries (conversation, seq, rev, id, at, author, author_id, role, body, preview, origin,"
            " public, message, prev) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [conversation, head["head"], rev, id, at, json.dumps(author), me["id"], me["role"], json.dumps(body),
             preview(body), json.dumps(origin) if origin else None, public, message, prev["seq"]],
        )  # fmt: skip
        self._affect(conversation, me, kind, body, at)
        return id, True

    def _newer(self, me, conversation, seen):
        return self.one(
            "SELECT 1 FROM entries WHERE conversation = ? AND seq > ? AND message"
            " AND (role = 'patient' OR author_id <> ?)",
            conversation, seen, me["id"],
        )  # fmt: skip

    def _affect(self, conversation, me, kind, body, at):
        """What an entry does to its conversation's summary."""
        patient = me["role"] == "patient"
        change = {}
        if kind in MESSAGES and patient:
            row = self.one("SELECT waiting_since FROM conversations WHERE id = ?", conversation)
            change = {"waiting_since": row["waiting_since"] or at, "state": "open", "until": None}
        elif kind in MESSAGES:
            change = {"waiting_since": None}
        elif kind == "assign":
            change = {"assigned": body["to"]}
        elif kind == "state":
            change = {"state": body["state"], "until": body.get("until")}
            if body["state"] == "closed":
                change["waiting_since"] = None
        for column, value in change.items():
            self.db.execute(f"UPDATE conversations SET {column} = ? WHERE id = ?", [value, conversation])

    def read(self, me, conversation, upto):
        """Moves a read mark forward, to the head at most. True if it moved."""

        def work():
            self.may_see(me, conversation)
            moved = self.one(
                "INSERT INTO reads (conversation, reader, upto) VALUES (?, ?, ?)"
                " ON CONFLICT DO UPDATE SET upto = excluded.upto WHERE excluded.upto > upto RETURNING 1",
                conversation, me["id"], min(upto, self.head(conversation, me["role"] == "patient")),
            )  # fmt: skip
            if moved:
                self.db.execute("UPDATE conversations SET rev = ? WHERE id = ?", [self._bump(), conversation])
            return moved is not None

        return self._transaction(work)

    def entry(self, id, patient):
        return self._entry(self.one("SELECT * FROM entries WHERE id = ?", id), patient)

    def _entry(self, row, patient):
        entry = {key: row[key] for key in ("conversation", "seq", "rev", "id", "at", "preview")}
        entry |= {"author": json.loads(row["author"]), "body": json.loads(row["body"])}
        if patient:
            entry["prev"] = row["prev"]
        elif row["origin"]:
            entry["from"] = json.loads(row["origin"])
        return entry

    def is_public(self, id):
        return bool(self.one("SELECT public FROM entries WHERE id = ?", id)["public"])

    def head(self, conversation, patient):
        """The newest `seq` that the asker may see."""
        where = "conversation = ? AND public" if patient else "conversation = ?"
        return self.one(f"SELECT coalesce(max(seq), 0) AS head FROM entries WHERE {where}", conversation)["head"]

    def entries(self, me, conversation, first, last):
        self.may_see(me, conversation)
        patient = me["role"] == "patient"
        rows = self.db.execute(
            "SELECT * FROM entries WHERE conversation = ? AND seq BETWEEN ? AND ? AND (public OR ?) ORDER BY seq",
            [conversation, first, last, not patient],
        )
        return [self._entry(row, patient) for row in rows]

    def summary(self, conversation, patient):
        row = self.one("SELECT * FROM conversations WHERE id = ?", conversation)
        head = self.head(conversation, patient)
        shown = "public" if patient else "role <> 'system'"
        newest = f"SELECT * FROM entries WHERE conversation = ? AND {shown} ORDER BY seq DESC LIMIT 1"
        last = self.one(newest, conversation)
        reads = self.db.execute("SELECT reader, upto FROM reads WHERE conversation = ?", [conversation])
        summary = {key: row[key] for key in ("id", "rev", "state", "assigned", "waiting_since")}
        summary |= {
            "head": head,
            "patient": {"id": row["patient"], "name": row["name"], "born": None},
            "urgency": None,
            "last": last and {key: self._entry(last, patient)[key] for key in ("seq", "at", "author", "preview")},
            "read": {read["reader"]: min(read["upto"], head) for read in reads},
        }
        if patient:
            summary["assigned"] = None
        elif row["until"] is not None:
            summary["until"] = row["until"]
        return summary

    def changes(self, me, since, limit):
        """The conversations that changed after `since`, and whether there are more."""
        patient = me["role"] == "patient"
        rows = self.db.execute(
            "SELECT id, rev FROM conversations WHERE rev > ? AND (patient = ? OR ?) ORDER BY rev LIMIT ?",
            [since, me["id"], not patient, limit + 1],
        ).fetchall()
        more = len(rows) > limit
        rows = rows[:limit]
        rev = rows[-1]["rev"] if more else self.rev()
        return {
            "since": since,
            "rev": max(since, rev),
            "more": more,
            "conversations": [self.summary(row["id"], patient) for row in rows],
        }
