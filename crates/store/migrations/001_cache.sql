-- The account whose cache this is.
CREATE TABLE account (
    one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    server TEXT NOT NULL,
    token TEXT NOT NULL,
    me TEXT NOT NULL,
    limits TEXT NOT NULL
) STRICT;

-- This device's own id, made once; and the clinic's change counter up to which everything is known.
CREATE TABLE device (
    one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    id TEXT NOT NULL,
    cursor INTEGER NOT NULL
) STRICT;

-- A conversation's summary as the server sent it, and what of its log is here: lo..=hi, 0 and 0 for nothing.
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

CREATE INDEX conversation_by_wait ON conversation (waiting_since IS NULL, waiting_since, last_at DESC);

-- The log: each entry once, verbatim.
CREATE TABLE entry (
    conversation TEXT NOT NULL REFERENCES conversation (id),
    seq INTEGER NOT NULL,
    id TEXT NOT NULL UNIQUE,
    by_patient INTEGER NOT NULL,
    entry TEXT NOT NULL,
    PRIMARY KEY (conversation, seq)
) STRICT;

-- What was written here and is not in the log. `refused` is the server's code.
CREATE TABLE outbox (
    place INTEGER NOT NULL PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    conversation TEXT NOT NULL,
    send TEXT NOT NULL,
    at INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    refused TEXT
) STRICT;

-- What is typed and not sent.
CREATE TABLE draft (
    conversation TEXT NOT NULL PRIMARY KEY,
    text TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- How far one has read, also while the server doesn't know.
CREATE TABLE own_read (
    conversation TEXT NOT NULL PRIMARY KEY,
    upto INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
