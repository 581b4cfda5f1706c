-- What leaves alone, as a keyed digest: equal for the same request, in whichever words it was asked for.
ALTER TABLE approvals ADD COLUMN sent TEXT;

-- Whether what used it up was surely not sent.
ALTER TABLE approvals ADD COLUMN unsent INTEGER NOT NULL DEFAULT 0 CHECK (unsent IN (0, 1));

-- One question waits for one request.
CREATE UNIQUE INDEX approvals_waiting_of ON approvals (sent) WHERE state = 'pending';
DROP INDEX approvals_settled;
CREATE INDEX approvals_settled_of ON approvals (sent, decided) WHERE state IN ('denied', 'used');
CREATE INDEX approvals_denied ON approvals (person, agent, decided) WHERE state = 'denied';

-- Which approvals were used, while they could be used again: one sealed list, so that no row that is put back opens once more.
CREATE TABLE approval_uses (
    id TEXT PRIMARY KEY CHECK (id = 'uses'),
    sealed BLOB NOT NULL,
    sealed_key INTEGER NOT NULL REFERENCES keys (id)
) STRICT, WITHOUT ROWID;

CREATE INDEX approval_uses_by_sealed_key ON approval_uses (sealed_key);

-- What was approved before there was this list names none: it is asked for again.
UPDATE approvals SET state = 'withdrawn', held = NULL, held_key = NULL, granted = NULL, granted_key = NULL, waits_until = NULL
WHERE state = 'approved';

DROP TABLE standing_approvals;

CREATE TABLE standing_approvals (
    id TEXT PRIMARY KEY,
    person TEXT NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    agent TEXT NOT NULL,
    connector TEXT NOT NULL,
    tool TEXT NOT NULL,
    connection TEXT NOT NULL,
    action TEXT NOT NULL,
    kind TEXT NOT NULL,
    -- Names: a JSON array.
    fields TEXT NOT NULL,
    -- What the requests that it covers have in common, as a keyed digest: the connector's version, the route, the headers.
    alike TEXT NOT NULL,
    -- Records that it covers in all. Those that are used stand in the list of uses.
    records INTEGER NOT NULL CHECK (records BETWEEN 1 AND 10),
    created INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    -- What shows that a person made it, as it is here.
    granted BLOB NOT NULL,
    granted_key INTEGER NOT NULL REFERENCES keys (id)
) STRICT, WITHOUT ROWID;

CREATE INDEX standing_approvals_by_granted_key ON standing_approvals (granted_key);
CREATE INDEX standing_approvals_by_person ON standing_approvals (person, agent, connector, tool, connection);

-- Another version of a connector is none that a person has seen at work.
CREATE TRIGGER standing_ends_by_activation AFTER UPDATE OF position ON connector_versions
BEGIN DELETE FROM standing_approvals WHERE connector = NEW.connector; END;
CREATE TRIGGER standing_ends_by_installation AFTER INSERT ON connector_versions WHEN NEW.position IS NOT NULL
BEGIN DELETE FROM standing_approvals WHERE connector = NEW.connector; END;
CREATE TRIGGER standing_ends_by_removal AFTER DELETE ON connector_versions WHEN OLD.position IS NOT NULL
BEGIN DELETE FROM standing_approvals WHERE connector = OLD.connector; END;
