CREATE TABLE kept_account (
    one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    server TEXT NOT NULL,
    token TEXT NOT NULL,
    me TEXT NOT NULL,
    limits TEXT NOT NULL
) STRICT;
CREATE TABLE kept_device (
    one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    id TEXT NOT NULL,
    generation INTEGER NOT NULL
) STRICT;
CREATE TABLE kept_draft (
    conversation TEXT NOT NULL PRIMARY KEY,
    text TEXT NOT NULL,
    cursor INTEGER NOT NULL
, files TEXT NOT NULL DEFAULT '[]') STRICT, WITHOUT ROWID;
CREATE TABLE kept_outbox (
    place INTEGER NOT NULL,
    id TEXT NOT NULL PRIMARY KEY,
    conversation TEXT NOT NULL,
    send TEXT NOT NULL,
    at INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    refused TEXT,
    hold_until INTEGER NOT NULL
) STRICT;
CREATE TABLE kept_own_file (
    sha256 TEXT NOT NULL PRIMARY KEY,
    bytes BLOB NOT NULL
) STRICT;
CREATE TABLE kept_own_read (
    conversation TEXT NOT NULL PRIMARY KEY,
    upto INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
