-- The life of the server's log that the cache is a copy of; null before the first answer.
ALTER TABLE device ADD COLUMN epoch TEXT;

-- A message isn't handed over before, so that it can be taken back; 0 for at once.
ALTER TABLE outbox ADD COLUMN hold_until INTEGER NOT NULL DEFAULT 0;

-- The read mark after which `unread` counts: while it stands still, new entries are added instead of all being counted again.
ALTER TABLE conversation ADD COLUMN counted_from INTEGER NOT NULL DEFAULT 0;
