-- The audit log is in files beside the store. Here is what it is checked by: its keys, and how far each of its lanes had come.

CREATE TABLE audit_keys (
    id INTEGER PRIMARY KEY,
    secret BLOB NOT NULL,
    secret_key INTEGER NOT NULL REFERENCES keys (id),
    created INTEGER NOT NULL
) STRICT;

CREATE INDEX audit_keys_by_key ON audit_keys (secret_key);

-- Where each lane ended when it was last looked at.
CREATE TABLE audit_heads (
    lane INTEGER PRIMARY KEY,
    segment INTEGER NOT NULL,
    place INTEGER NOT NULL,
    number INTEGER NOT NULL,
    tag BLOB NOT NULL,
    -- Whether whoever wrote it ended in order.
    closed INTEGER NOT NULL,
    key INTEGER NOT NULL REFERENCES audit_keys (id),
    mac BLOB NOT NULL
) STRICT;

-- Where each lane begins whose oldest segments were removed.
CREATE TABLE audit_bases (
    lane INTEGER PRIMARY KEY,
    -- The last segment that was removed, and the last record in it.
    segment INTEGER NOT NULL,
    number INTEGER NOT NULL,
    tag BLOB NOT NULL,
    key INTEGER NOT NULL REFERENCES audit_keys (id),
    mac BLOB NOT NULL
) STRICT;

-- The tools whose records' values are kept, sealed.
CREATE TABLE audit_values (
    connector TEXT NOT NULL,
    tool TEXT NOT NULL,
    PRIMARY KEY (connector, tool)
) STRICT, WITHOUT ROWID;
