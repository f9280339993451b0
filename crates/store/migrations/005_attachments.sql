-- What is attached to a draft, as a JSON array of what the messages will say.
ALTER TABLE draft ADD COLUMN files TEXT NOT NULL DEFAULT '[]';

-- The bytes of files that drafts and the outbox name.
CREATE TABLE own_file (
    sha256 TEXT NOT NULL PRIMARY KEY,
    bytes BLOB NOT NULL
) STRICT;

-- The bytes of a conversation's files, fetched to be looked at; those that came first go first.
CREATE TABLE fetched_file (
    conversation TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    at INTEGER NOT NULL,
    bytes BLOB NOT NULL,
    PRIMARY KEY (conversation, sha256)
) STRICT;
