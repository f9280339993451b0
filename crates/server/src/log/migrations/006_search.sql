-- What search finds, in the order of the commits: each entry that has words. `amended`: a later correction stands for it, or
-- it was taken back. `indexed`: whether the index knows; that comes after the commit, so that no message waits for it.
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

CREATE INDEX said_newest ON said (clinic, place);
CREATE INDEX said_files ON said (clinic, place) WHERE file;
CREATE INDEX said_unindexed ON said (place, clinic) WHERE NOT indexed;

-- Their words by `place`, and their clinic as one word, so that no search leaves its clinic.
CREATE VIRTUAL TABLE words_found USING fts5 (
    clinic, words, content = '', contentless_delete = 1, prefix = '2 3', tokenize = 'unicode61 remove_diacritics 2'
);

INSERT INTO said (clinic, conversation, seq, role, at, file, amended, indexed)
SELECT clinic, conversation, seq, role, at, body ->> 'kind' = 'file',
    EXISTS (SELECT 1 FROM entries later
            WHERE later.clinic = entries.clinic AND later.body ->> 'kind' = 'amend'
                AND later.conversation = entries.conversation AND later.seq > entries.seq
                AND later.body ->> 'target' = CASE entries.body ->> 'kind'
                    WHEN 'amend' THEN entries.body ->> 'target' ELSE entries.id END),
    0
FROM entries
WHERE body ->> 'kind' IN ('text', 'note', 'file')
    OR (body ->> 'kind' = 'amend' AND body ->> 'text' IS NOT NULL)
ORDER BY clinic, rev;

-- Patients by their names, in the same way.
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

INSERT INTO named (clinic, conversation) SELECT clinic, id FROM conversations;
INSERT INTO names_found (rowid, clinic, words)
SELECT number, 'c' || hex(named.clinic), name
FROM named JOIN conversations ON conversations.clinic = named.clinic AND conversations.id = named.conversation;
