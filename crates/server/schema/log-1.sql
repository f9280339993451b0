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
    told_at       INTEGER,
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
CREATE UNIQUE INDEX conversations_by_rev ON conversations (clinic, rev);
CREATE INDEX conversations_waiting ON conversations (clinic) WHERE waiting_since IS NOT NULL;
CREATE INDEX entries_answers ON entries (clinic, at) WHERE waited IS NOT NULL;
