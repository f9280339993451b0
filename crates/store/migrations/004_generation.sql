-- Counts the changes of what only this computer knows: of the cache and its copy in kept.db, the higher is the newer.
ALTER TABLE device ADD COLUMN generation INTEGER NOT NULL DEFAULT 0;

-- Where in the text the cursor stood, in UTF-16 units.
ALTER TABLE draft ADD COLUMN cursor INTEGER NOT NULL DEFAULT 0;

-- When the server was last reached, and the latest that the clock has shown: it may be set back. 0 for never.
ALTER TABLE device ADD COLUMN reached INTEGER NOT NULL DEFAULT 0;
ALTER TABLE device ADD COLUMN clock INTEGER NOT NULL DEFAULT 0;
