-- Who uploaded which bytes; they lie beside the log, under their SHA-256. `named`: an entry names them, so that they stay.
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

CREATE INDEX uploads_of_person ON uploads (clinic, uploader, role) WHERE NOT named;
CREATE INDEX uploads_by_age ON uploads (at) WHERE NOT named;

-- Which entries name a file, and which take one back.
CREATE INDEX entries_files ON entries (clinic, body ->> 'sha256') WHERE body ->> 'kind' = 'file';
CREATE INDEX entries_amends ON entries (clinic, body ->> 'target') WHERE body ->> 'kind' = 'amend';
