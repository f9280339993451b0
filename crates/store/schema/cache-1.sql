CREATE TABLE account (
    one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    server TEXT NOT NULL,
    token TEXT NOT NULL,
    me TEXT NOT NULL,
    limits TEXT NOT NULL
) STRICT;
CREATE TABLE conversation (
    id TEXT NOT NULL PRIMARY KEY,
    rev INTEGER NOT NULL,
    head INTEGER NOT NULL,
    lo INTEGER NOT NULL,
    hi INTEGER NOT NULL CHECK (lo <= hi),
    -- Sorts the inbox: who waits, since when; the others by their newest entry.
    waiting_since INTEGER,
    last_at INTEGER NOT NULL,
    -- The patient's entries after what one has read, kept up in the transaction that changes either.
    unread INTEGER NOT NULL,
    summary TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE device (
    one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    id TEXT NOT NULL,
    cursor INTEGER NOT NULL
) STRICT;
CREATE TABLE draft (
    conversation TEXT NOT NULL PRIMARY KEY,
    text TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE entry (
    conversation TEXT NOT NULL REFERENCES conversation (id),
    seq INTEGER NOT NULL,
    id TEXT NOT NULL UNIQUE,
    by_patient INTEGER NOT NULL,
    entry TEXT NOT NULL,
    PRIMARY KEY (conversation, seq)
) STRICT;
CREATE TABLE outbox (
    place INTEGER NOT NULL PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    conversation TEXT NOT NULL,
    send TEXT NOT NULL,
    at INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    refused TEXT
) STRICT;
CREATE TABLE own_read (
    conversation TEXT NOT NULL PRIMARY KEY,
    upto INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX conversation_by_wait ON conversation (waiting_since IS NULL, waiting_since, last_at DESC);
