-- How long the audit log is kept, where an administrator said so: programs that serve remove what is older. The keyed hash is the log's
-- own: whoever writes to this file alone cannot have the log removed by it.
CREATE TABLE audit_retention (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    days INTEGER NOT NULL CHECK (days > 0),
    -- Who said so.
    person TEXT NOT NULL,
    key INTEGER NOT NULL REFERENCES audit_keys (id),
    mac BLOB NOT NULL
) STRICT;
