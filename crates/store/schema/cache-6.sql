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
, counted_from INTEGER NOT NULL DEFAULT 0, number INTEGER NOT NULL DEFAULT 0, named TEXT NOT NULL DEFAULT '', since INTEGER NOT NULL DEFAULT 0) STRICT, WITHOUT ROWID;
CREATE TABLE device (
    one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    id TEXT NOT NULL,
    cursor INTEGER NOT NULL
, epoch TEXT, generation INTEGER NOT NULL DEFAULT 0, reached INTEGER NOT NULL DEFAULT 0, clock INTEGER NOT NULL DEFAULT 0) STRICT;
CREATE TABLE draft (
    conversation TEXT NOT NULL PRIMARY KEY,
    text TEXT NOT NULL
, cursor INTEGER NOT NULL DEFAULT 0, files TEXT NOT NULL DEFAULT '[]') STRICT, WITHOUT ROWID;
CREATE TABLE entry (
    conversation TEXT NOT NULL REFERENCES conversation (id),
    seq INTEGER NOT NULL,
    id TEXT NOT NULL UNIQUE,
    by_patient INTEGER NOT NULL,
    entry TEXT NOT NULL, rev INTEGER NOT NULL DEFAULT 0, amends TEXT, indexed INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (conversation, seq)
) STRICT;
CREATE TABLE fetched_file (
    conversation TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    at INTEGER NOT NULL,
    bytes BLOB NOT NULL,
    PRIMARY KEY (conversation, sha256)
) STRICT;
CREATE VIRTUAL TABLE found USING fts5 (
    words, facets, content = '', contentless_delete = 1, prefix = '1 2 3 4 5', tokenize = 'unicode61 remove_diacritics 2'
);
CREATE TABLE outbox (
    place INTEGER NOT NULL PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    conversation TEXT NOT NULL,
    send TEXT NOT NULL,
    at INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    refused TEXT
, hold_until INTEGER NOT NULL DEFAULT 0) STRICT;
CREATE TABLE own_file (
    sha256 TEXT NOT NULL PRIMARY KEY,
    bytes BLOB NOT NULL
) STRICT;
CREATE TABLE own_read (
    conversation TEXT NOT NULL PRIMARY KEY,
    upto INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE VIRTUAL TABLE patient_found USING fts5 (
    name, content = '', contentless_delete = 1, prefix = '1 2 3', tokenize = 'unicode61 remove_diacritics 2'
);
CREATE TABLE span (
    span INTEGER NOT NULL PRIMARY KEY,
    oldest INTEGER NOT NULL
) STRICT;
CREATE INDEX conversation_by_number ON conversation (number);
CREATE INDEX conversation_by_wait ON conversation (waiting_since IS NULL, waiting_since, last_at DESC);
CREATE INDEX conversation_held ON conversation (lo, hi, head, since);
CREATE INDEX conversation_unread ON conversation (number) WHERE unread > 0;
CREATE INDEX entry_amends ON entry (amends) WHERE amends IS NOT NULL;
CREATE INDEX entry_by_rev ON entry (
    rev, conversation, seq, by_patient, entry ->> 'at', entry ->> '$.author.role', entry ->> '$.body.kind'
);
CREATE INDEX entry_unindexed ON entry (rev) WHERE NOT indexed;
