-- What a filter asks of an entry is answered by this index alone, where neighbours in time lie side by side.
DROP INDEX entry_by_rev;
CREATE INDEX entry_by_rev ON entry (
    rev, conversation, seq, by_patient, entry ->> 'at', entry ->> '$.author.role', entry ->> '$.body.kind'
);

-- As before; and `facets`, in words that nobody types: the conversation's number after a `c`, and `file`.
DROP TABLE found;
CREATE VIRTUAL TABLE found USING fts5 (
    words, facets, content = '', contentless_delete = 1, prefix = '1 2 3 4 5', tokenize = 'unicode61 remove_diacritics 2'
);
-- A page of the index fits into one of the file, of which the encryption takes 80 bytes.
INSERT INTO found (found, rank) VALUES ('pgsz', 3950);
UPDATE entry SET indexed = 0 WHERE indexed;

-- No entry of `span * 1024` and the revs after it is from before `oldest`. What goes leaves it as it is.
CREATE TABLE span (
    span INTEGER NOT NULL PRIMARY KEY,
    oldest INTEGER NOT NULL
) STRICT;
INSERT INTO span SELECT rev / 1024, min(entry ->> 'at') FROM entry GROUP BY rev / 1024;

-- Since when a conversation's entries are here; 0 without any.
ALTER TABLE conversation ADD COLUMN since INTEGER NOT NULL DEFAULT 0;
UPDATE conversation SET since = coalesce(
    (SELECT entry ->> 'at' FROM entry WHERE entry.conversation = conversation.id AND entry.seq = conversation.lo), 0
);
CREATE INDEX conversation_held ON conversation (lo, hi, head, since);
CREATE INDEX conversation_unread ON conversation (number) WHERE unread > 0;
