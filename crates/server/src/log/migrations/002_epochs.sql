-- The log's lives, one for each start of the server, and where each clinic's counter stood at their beginnings. A log that
-- went back to an older copy of itself doesn't know the lives it had since, or where they went further.
CREATE TABLE epochs (
    number INTEGER NOT NULL PRIMARY KEY,
    id     TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE epoch_starts (
    epoch  INTEGER NOT NULL REFERENCES epochs (number),
    clinic TEXT NOT NULL REFERENCES clinics (clinic),
    rev    INTEGER NOT NULL,
    PRIMARY KEY (epoch, clinic)
) STRICT, WITHOUT ROWID;
