-- What administrators decided on agents: their rules and scopes, which connectors and clients are trusted, which tools were seen and
-- which versions are active. One sealed value, so that none of it can be altered, added or taken away alone. It replaces the tables
-- `tool_rules`, `seen_tools`, `agent_scopes`, `connector_trust` and `trusted_clients`, which are taken over when the store is opened.
CREATE TABLE decisions (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    -- Grows by every decision.
    generation INTEGER NOT NULL CHECK (generation > 0),
    sealed BLOB NOT NULL,
    sealed_key INTEGER NOT NULL REFERENCES keys (id)
) STRICT;

CREATE INDEX decisions_by_sealed_key ON decisions (sealed_key);

CREATE TRIGGER decisions_made AFTER UPDATE OF generation ON decisions BEGIN UPDATE revision SET number = number + 1; END;
