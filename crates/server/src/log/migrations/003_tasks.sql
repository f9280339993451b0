-- Work for a background task: written in the transaction of the message that asks for it, ended in the one that inserts
-- its result. A row without an end is what a server that starts has still to do.
CREATE TABLE tasks (
    clinic       TEXT NOT NULL,
    conversation TEXT NOT NULL,
    task         TEXT NOT NULL,
    -- The seq of the message that asks for it.
    basis        INTEGER NOT NULL,
    -- Tries that were begun, each counted before it is.
    tries        INTEGER NOT NULL,
    -- 'done', 'abstained', 'superseded' or 'failed'.
    ended        TEXT,
    PRIMARY KEY (clinic, conversation, task, basis),
    FOREIGN KEY (clinic, conversation) REFERENCES conversations (clinic, id)
) STRICT;

CREATE INDEX tasks_open ON tasks (clinic, conversation, task) WHERE ended IS NULL;
