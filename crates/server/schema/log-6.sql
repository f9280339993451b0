CREATE TABLE clinics (
    clinic TEXT NOT NULL PRIMARY KEY,
    rev    INTEGER NOT NULL
) STRICT;
CREATE TABLE conversations (
    clinic        TEXT NOT NULL REFERENCES clinics (clinic),
    id            TEXT NOT NULL,
    rev           INTEGER NOT NULL,
    head          INTEGER NOT NULL,
    public_head   INTEGER NOT NULL,
    -- The newest entry that a person wrote: what an inbox shows.
    said_head     INTEGER NOT NULL,
    patient       TEXT NOT NULL,
    name          TEXT NOT NULL,
    born          TEXT,
    state         TEXT NOT NULL,
    until         INTEGER,
    assigned      TEXT,
    urgency       TEXT,
    waiting_since INTEGER,
    -- When a provider last answered, and when the patient was last told how long it takes.
    answered_at   INTEGER,
    told_at       INTEGER, closed_at INTEGER,
    PRIMARY KEY (clinic, id),
    UNIQUE (clinic, patient)
) STRICT;
CREATE TABLE entries (
    clinic       TEXT NOT NULL,
    conversation TEXT NOT NULL,
    seq          INTEGER NOT NULL,
    rev          INTEGER NOT NULL,
    id           TEXT NOT NULL,
    at           INTEGER NOT NULL,
    author       TEXT NOT NULL,
    role         TEXT NOT NULL,
    author_name  TEXT NOT NULL,
    body         TEXT NOT NULL,
    preview      TEXT NOT NULL,
    origin       TEXT,
    -- Whether it is a message between people: it makes the patient wait, or answers.
    message      INTEGER NOT NULL,
    -- Whether the patient sees it, and the seq of the public entry before it.
    public       INTEGER NOT NULL,
    prev         INTEGER NOT NULL,
    -- In the message that ended a patient's wait: how long it was, in milliseconds.
    waited       INTEGER,
    PRIMARY KEY (clinic, conversation, seq),
    UNIQUE (clinic, id),
    FOREIGN KEY (clinic, conversation) REFERENCES conversations (clinic, id)
) STRICT;
CREATE TABLE epoch_starts (
    epoch  INTEGER NOT NULL REFERENCES epochs (number),
    clinic TEXT NOT NULL REFERENCES clinics (clinic),
    rev    INTEGER NOT NULL,
    PRIMARY KEY (epoch, clinic)
) STRICT, WITHOUT ROWID;
CREATE TABLE epochs (
    number INTEGER NOT NULL PRIMARY KEY,
    id     TEXT NOT NULL UNIQUE
) STRICT;
CREATE TABLE named (
    number       INTEGER NOT NULL PRIMARY KEY,
    clinic       TEXT NOT NULL,
    conversation TEXT NOT NULL,
    UNIQUE (clinic, conversation),
    FOREIGN KEY (clinic, conversation) REFERENCES conversations (clinic, id)
) STRICT;
CREATE VIRTUAL TABLE names_found USING fts5 (
    clinic, words, content = '', contentless_delete = 1, prefix = '1 2 3', tokenize = 'unicode61 remove_diacritics 2'
);
CREATE TABLE read_marks (
    clinic       TEXT NOT NULL,
    conversation TEXT NOT NULL,
    reader       TEXT NOT NULL,
    upto         INTEGER NOT NULL,
    PRIMARY KEY (clinic, conversation, reader),
    FOREIGN KEY (clinic, conversation) REFERENCES conversations (clinic, id)
) STRICT;
CREATE TABLE revocations (
    clinic TEXT NOT NULL,
    user   TEXT NOT NULL,
    at     INTEGER NOT NULL,
    wipe   INTEGER NOT NULL,
    PRIMARY KEY (clinic, user)
) STRICT;
CREATE TABLE said (
    place        INTEGER NOT NULL PRIMARY KEY,
    clinic       TEXT NOT NULL,
    conversation TEXT NOT NULL,
    seq          INTEGER NOT NULL,
    -- Of the entry, so that a search passes it over without looking it up.
    role         TEXT NOT NULL,
    at           INTEGER NOT NULL,
    file         INTEGER NOT NULL,
    amended      INTEGER NOT NULL,
    indexed      INTEGER NOT NULL,
    UNIQUE (clinic, conversation, seq),
    FOREIGN KEY (clinic, conversation, seq) REFERENCES entries (clinic, conversation, seq)
) STRICT;
CREATE TABLE tasks (
    clinic       TEXT NOT NULL,
    conversation TEXT NOT NULL,
    task         TEXT NOT NULL,
    -- The seq of the message that asks for it.
    basis        INTEGER NOT NULL,
    -- Tries that were begun, each counted before it is.
    tries        INTEGER NOT NULL,
    -- 'done', 'abstained', 'superseded' or 'failed'.
    ended        TEXT,
    PRIMARY KEY (clinic, conversation, task, basis),
    FOREIGN KEY (clinic, conversation) REFERENCES conversations (clinic, id)
) STRICT;
CREATE TABLE uploads (
    clinic   TEXT NOT NULL,
    sha256   TEXT NOT NULL,
    uploader TEXT NOT NULL,
    role     TEXT NOT NULL,
    bytes    INTEGER NOT NULL,
    at       INTEGER NOT NULL,
    named    INTEGER NOT NULL,
    PRIMARY KEY (clinic, sha256, uploader, role)
) STRICT, WITHOUT ROWID;
CREATE VIRTUAL TABLE words_found USING fts5 (
    clinic, words, content = '', contentless_delete = 1, prefix = '2 3', tokenize = 'unicode61 remove_diacritics 2'
);
CREATE UNIQUE INDEX conversations_by_rev ON conversations (clinic, rev);
CREATE INDEX conversations_waiting ON conversations (clinic) WHERE waiting_since IS NOT NULL;
CREATE INDEX entries_amends ON entries (clinic, body ->> 'target') WHERE body ->> 'kind' = 'amend';
CREATE INDEX entries_answers ON entries (clinic, at) WHERE waited IS NOT NULL;
CREATE INDEX entries_files ON entries (clinic, body ->> 'sha256') WHERE body ->> 'kind' = 'file';
CREATE INDEX said_files ON said (clinic, place) WHERE file;
CREATE INDEX said_newest ON said (clinic, place);
CREATE INDEX said_unindexed ON said (place, clinic) WHERE NOT indexed;
CREATE INDEX tasks_open ON tasks (clinic, conversation, task) WHERE ended IS NULL;
CREATE INDEX uploads_by_age ON uploads (at) WHERE NOT named;
CREATE INDEX uploads_of_person ON uploads (clinic, uploader, role) WHERE NOT named;
