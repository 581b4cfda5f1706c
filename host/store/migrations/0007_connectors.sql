-- Versions of connectors that were installed here. What the program carries is in no row.
CREATE TABLE connector_versions (
    id TEXT PRIMARY KEY,
    connector TEXT NOT NULL,
    -- The SHA-256 digest of its bytes, in hexadecimal digits.
    digest TEXT NOT NULL,
    -- As its manifest has it.
    version TEXT NOT NULL,
    -- Of a connector's versions the one with the highest is active, and those below were before it. None: it waits until
    -- an administrator accepts it.
    position INTEGER,
    -- What shows that it was made active here: a position alone could be written by whoever writes to the file.
    granted BLOB,
    granted_key INTEGER REFERENCES keys (id),
    installed INTEGER NOT NULL,
    installed_by TEXT NOT NULL,
    activated INTEGER,
    activated_by TEXT,
    bytes BLOB NOT NULL,
    CHECK ((position IS NULL) = (granted IS NULL) AND (granted IS NULL) = (granted_key IS NULL)),
    CHECK ((position IS NULL) = (activated IS NULL) AND (activated IS NULL) = (activated_by IS NULL))
) STRICT;

CREATE UNIQUE INDEX connector_versions_in_order ON connector_versions (connector, position);
CREATE UNIQUE INDEX connector_versions_waiting ON connector_versions (connector) WHERE position IS NULL;
CREATE INDEX connector_versions_by_granted_key ON connector_versions (granted_key);

-- Counts what may change the tools that agents have: programs that serve look at it, and at nothing else while it stays.
CREATE TABLE revision (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    number INTEGER NOT NULL
) STRICT;

INSERT INTO revision (id, number) VALUES (1, 0);

CREATE TRIGGER connector_versions_added AFTER INSERT ON connector_versions BEGIN UPDATE revision SET number = number + 1; END;
CREATE TRIGGER connector_versions_changed AFTER UPDATE ON connector_versions BEGIN UPDATE revision SET number = number + 1; END;
CREATE TRIGGER connector_versions_gone AFTER DELETE ON connector_versions BEGIN UPDATE revision SET number = number + 1; END;
CREATE TRIGGER agent_connectors_added AFTER INSERT ON agent_connectors BEGIN UPDATE revision SET number = number + 1; END;
CREATE TRIGGER agent_connectors_changed AFTER UPDATE ON agent_connectors BEGIN UPDATE revision SET number = number + 1; END;
CREATE TRIGGER agent_connectors_gone AFTER DELETE ON agent_connectors BEGIN UPDATE revision SET number = number + 1; END;
CREATE TRIGGER agent_scopes_added AFTER INSERT ON agent_scopes BEGIN UPDATE revision SET number = number + 1; END;
CREATE TRIGGER agent_scopes_changed AFTER UPDATE ON agent_scopes BEGIN UPDATE revision SET number = number + 1; END;
CREATE TRIGGER agent_scopes_gone AFTER DELETE ON agent_scopes BEGIN UPDATE revision SET number = number + 1; END;
CREATE TRIGGER tool_rules_added AFTER INSERT ON tool_rules BEGIN UPDATE revision SET number = number + 1; END;
CREATE TRIGGER tool_rules_changed AFTER UPDATE ON tool_rules BEGIN UPDATE revision SET number = number + 1; END;
CREATE TRIGGER tool_rules_gone AFTER DELETE ON tool_rules BEGIN UPDATE revision SET number = number + 1; END;
CREATE TRIGGER seen_tools_added AFTER INSERT ON seen_tools BEGIN UPDATE revision SET number = number + 1; END;
CREATE TRIGGER seen_tools_changed AFTER UPDATE ON seen_tools BEGIN UPDATE revision SET number = number + 1; END;
CREATE TRIGGER people_gone AFTER DELETE ON people BEGIN UPDATE revision SET number = number + 1; END;
