-- When a closed conversation was closed: consoles keep it for some days after.
ALTER TABLE conversations ADD COLUMN closed_at INTEGER;
UPDATE conversations SET closed_at = (
    SELECT max(at) FROM entries
    WHERE entries.clinic = conversations.clinic AND entries.conversation = conversations.id
        AND body ->> 'kind' = 'state' AND body ->> 'state' = 'closed'
) WHERE state = 'closed';
