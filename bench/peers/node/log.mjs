import Database from "better-sqlite3";

const SCHEMA = `
CREATE TABLE IF NOT EXISTS clinic (rev INTEGER NOT NULL) STRICT;
INSERT INTO clinic SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM clinic);
CREATE TABLE IF NOT EXISTS conversations (
    id TEXT PRIMARY KEY, rev INTEGER NOT NULL, head INTEGER NOT NULL,
    patient TEXT NOT NULL UNIQUE, name TEXT NOT NULL, waiting_since INTEGER) STRICT;
CREATE TABLE IF NOT EXISTS entries (
    conversation TEXT NOT NULL, seq INTEGER NOT NULL, rev INTEGER NOT NULL, id TEXT NOT NULL UNIQUE,
    at INTEGER NOT NULL, author TEXT NOT NULL, body TEXT NOT NULL, preview TEXT NOT NULL,
    PRIMARY KEY (conversation, seq)) STRICT;
`;
const TEXT_BYTES = 16_384;
const PREVIEW_CHARS = 140;
const UUID7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** Why a frame isn't done: a code of the protocol. */
export class Refused extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

/** The log in one SQLite file: dense numbers, idempotent sends. Messages alone; all of them are public. */
export function openLog(path) {
  const db = new Database(path);
  db.pragma("journal_mode = WAL");
  db.pragma("synchronous = FULL");
  db.exec(SCHEMA);
  const sql = {
    rev: db.prepare("SELECT rev FROM clinic").pluck(),
    bump: db.prepare("UPDATE clinic SET rev = rev + 1 RETURNING rev").pluck(),
    find: db.prepare("SELECT * FROM entries WHERE id = ?"),
    conversation: db.prepare("SELECT * FROM conversations WHERE id = ?"),
    of: db.prepare("SELECT id FROM conversations WHERE patient = ?").pluck(),
    admit: db.prepare("INSERT INTO conversations (id, rev, head, patient, name) VALUES (?, ?, 0, ?, ?)"),
    move: db.prepare("UPDATE conversations SET head = ?, rev = ?, waiting_since = ? WHERE id = ?"),
    insert: db.prepare(
      `INSERT INTO entries (conversation, seq, rev, id, at, author, body, preview)
       VALUES (@conversation, @seq, @rev, @id, @at, @author, @body, @preview)`,
    ),
  };

  const admit = db.transaction((patient, name) => {
    const id = `c-${patient}`;
    if (sql.of.get(patient) === undefined) sql.admit.run(id, sql.bump.get(), patient, name);
    return id;
  });

  const append = db.transaction((me, { id, conversation, body }) => {
    const first = sql.find.get(id);
    const text = JSON.stringify(body);
    if (first) {
      const same = first.conversation === conversation && first.body === text && JSON.parse(first.author).id === me.id;
      if (!same) throw new Refused("conflict", "this id came before with other content");
      return { isNew: false, entry: read(first), summary: summary(sql.conversation.get(conversation), read(first)) };
    }
    const row = sql.conversation.get(conversation);
    if (!row) throw new Refused("not_found", "no such conversation");
    const at = Date.now();
    const entry = {
      conversation,
      seq: row.head + 1,
      rev: sql.bump.get(),
      id,
      at,
      author: { id: me.id, role: me.role, name: me.name },
      body,
      preview: preview(body.text),
    };
    const waiting = me.role === "patient" ? (row.waiting_since ?? at) : null;
    sql.move.run(entry.seq, entry.rev, waiting, conversation);
    sql.insert.run({ ...entry, author: JSON.stringify(entry.author), body: text });
    const after = { ...row, head: entry.seq, rev: entry.rev, waiting_since: waiting };
    return { isNew: true, entry: { ...entry, prev: row.head }, summary: summary(after, entry) };
  });

  return {
    rev: () => sql.rev.get(),
    admit,
    append(me, frame) {
      check(frame);
      return append.immediate(me, frame);
    },
  };
}

function check(frame) {
  const { id, conversation, seen, body } = frame ?? {};
  const whole = typeof id === "string" && UUID7.test(id) && typeof conversation === "string";
  if (!whole || !Number.isSafeInteger(seen)) throw new Refused("invalid", "fields are missing or wrong");
  if (body?.kind !== "text" || typeof body.text !== "string" || !body.text.trim()) {
    throw new Refused("invalid", "only texts are taken here");
  }
  if (Buffer.byteLength(body.text) > TEXT_BYTES) throw new Refused("too_large", "the text is too long");
}

const preview = (text) => text.replace(/\s+/g, " ").trim().slice(0, PREVIEW_CHARS);

const read = ({ author, body, ...row }) => ({
  ...row,
  author: JSON.parse(author),
  body: JSON.parse(body),
  prev: row.seq - 1,
});

function summary({ id, rev, head, patient, name, waiting_since }, { seq, at, author, preview }) {
  return {
    id,
    rev,
    head,
    patient: { id: patient, name, born: null },
    state: "open",
    assigned: null,
    urgency: null,
    waiting_since,
    last: { seq, at, author, preview },
    read: {},
  };
}
