-- What search finds, by the entry's rev: the newest has the highest. The words alone; the entry itself is in `entry`.
CREATE VIRTUAL TABLE found USING fts5 (
    words, content = '', contentless_delete = 1, prefix = '2 3', tokenize = 'unicode61 remove_diacritics 2'
);

-- `amends`: the entry whose text this one replaces or takes back. `indexed`: whether search knows it; that comes after its
-- commit, so that no message waits for it.
ALTER TABLE entry ADD COLUMN rev INTEGER NOT NULL DEFAULT 0;
ALTER TABLE entry ADD COLUMN amends TEXT;
ALTER TABLE entry ADD COLUMN indexed INTEGER NOT NULL DEFAULT 0;
UPDATE entry SET
    rev = entry ->> 'rev',
    amends = CASE entry ->> '$.body.kind' WHEN 'amend' THEN entry ->> '$.body.target' END;
CREATE INDEX entry_by_rev ON entry (rev);
CREATE INDEX entry_amends ON entry (amends) WHERE amends IS NOT NULL;
CREATE INDEX entry_unindexed ON entry (rev) WHERE NOT indexed;

-- Patients by their names: `number` is the conversation's row there, `named` the name that stands in it.
CREATE VIRTUAL TABLE patient_found USING fts5 (
    name, content = '', contentless_delete = 1, prefix = '1 2 3', tokenize = 'unicode61 remove_diacritics 2'
);
ALTER TABLE conversation ADD COLUMN number INTEGER NOT NULL DEFAULT 0;
ALTER TABLE conversation ADD COLUMN named TEXT NOT NULL DEFAULT '';
UPDATE conversation SET number = numbered.n, named = conversation.summary ->> '$.patient.name'
FROM (SELECT id, row_number() OVER (ORDER BY id) AS n FROM conversation) AS numbered WHERE numbered.id = conversation.id;
CREATE INDEX conversation_by_number ON conversation (number);
INSERT INTO patient_found (rowid, name) SELECT number, named FROM conversation;
