-- What people are asked, and what they said.

-- The key of the digests that approvals are bound to: one row.
CREATE TABLE approval_keys (
    id TEXT PRIMARY KEY CHECK (id = 'digest'),
    sealed BLOB NOT NULL,
    sealed_key INTEGER NOT NULL REFERENCES keys (id)
) STRICT, WITHOUT ROWID;

CREATE TABLE approvals (
    id TEXT PRIMARY KEY,
    -- The keyed digest of the request, and that of the call that asked.
    digest TEXT NOT NULL,
    question TEXT NOT NULL,
    -- Who decides, and nobody else.
    person TEXT NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    agent TEXT NOT NULL,
    connector TEXT NOT NULL,
    tool TEXT NOT NULL,
    connection TEXT NOT NULL,
    effect TEXT NOT NULL CHECK (effect IN ('read', 'write', 'destructive')),
    call TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'approved', 'used', 'denied', 'withdrawn', 'expired', 'replaced')),
    created INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    decided INTEGER,
    -- Until when the caller waits for the decision, and then goes on by itself.
    waits_until INTEGER,
    -- The call that used it.
    used_by TEXT,
    -- What is shown, and what runs the call again: forgotten once it is settled.
    held BLOB,
    held_key INTEGER REFERENCES keys (id),
    -- What shows that it was approved here: a state alone could be written by whoever writes to the file.
    granted BLOB,
    granted_key INTEGER REFERENCES keys (id),
    -- Why a person said no.
    reason BLOB,
    reason_key INTEGER REFERENCES keys (id),
    -- What came of the call, until it is fetched.
    answer BLOB,
    answer_key INTEGER REFERENCES keys (id),
    answer_expires INTEGER,
    CHECK ((held IS NULL) = (held_key IS NULL)),
    CHECK ((state IN ('pending', 'approved')) = (held IS NOT NULL)),
    CHECK ((granted IS NULL) = (granted_key IS NULL)),
    CHECK ((state = 'approved') = (granted IS NOT NULL)),
    CHECK ((reason IS NULL) = (reason_key IS NULL)),
    CHECK ((answer IS NULL) = (answer_key IS NULL) AND (answer IS NULL) = (answer_expires IS NULL))
) STRICT, WITHOUT ROWID;

-- One open question for one request.
CREATE UNIQUE INDEX approvals_open ON approvals (digest) WHERE state IN ('pending', 'approved');
CREATE INDEX approvals_settled ON approvals (digest, decided) WHERE state IN ('denied', 'used');
CREATE INDEX approvals_by_person ON approvals (person, created);
-- What is listed most; the last columns let both be counted without the rows.
CREATE INDEX approvals_waiting_for ON approvals (person, created, id, expires, state) WHERE state IN ('pending', 'approved');
CREATE INDEX approvals_waiting ON approvals (created, id, expires, state) WHERE state IN ('pending', 'approved');
CREATE INDEX approvals_pending_of ON approvals (person, agent) WHERE state = 'pending';
CREATE INDEX approvals_by_expiry ON approvals (expires) WHERE state IN ('pending', 'approved');
CREATE INDEX approvals_answers ON approvals (question, person, agent) WHERE answer IS NOT NULL;
CREATE INDEX approvals_answers_by_expiry ON approvals (answer_expires) WHERE answer IS NOT NULL;
CREATE INDEX approvals_reasons ON approvals (decided) WHERE reason IS NOT NULL;
CREATE INDEX approvals_by_held_key ON approvals (held_key);
CREATE INDEX approvals_by_granted_key ON approvals (granted_key);
CREATE INDEX approvals_by_reason_key ON approvals (reason_key);
CREATE INDEX approvals_by_answer_key ON approvals (answer_key);

-- A rule that a person made for the next hour at most: the same fields of the same kind, by the same tool and account.
CREATE TABLE standing_approvals (
    id TEXT PRIMARY KEY,
    person TEXT NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    agent TEXT NOT NULL,
    connector TEXT NOT NULL,
    tool TEXT NOT NULL,
    connection TEXT NOT NULL,
    kind TEXT NOT NULL,
    -- Names: a JSON array.
    fields TEXT NOT NULL,
    records_left INTEGER NOT NULL CHECK (records_left BETWEEN 0 AND 10),
    created INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    -- What shows that a person made it, as it is here.
    granted BLOB NOT NULL,
    granted_key INTEGER NOT NULL REFERENCES keys (id)
) STRICT, WITHOUT ROWID;

CREATE INDEX standing_approvals_by_granted_key ON standing_approvals (granted_key);
CREATE INDEX standing_approvals_by_person ON standing_approvals (person, agent, connector, tool, connection);

CREATE TABLE passphrases (
    person TEXT PRIMARY KEY REFERENCES people (id) ON DELETE CASCADE,
    -- Argon2id, in the PHC string format.
    hash TEXT NOT NULL,
    -- Wrong ones in a row, and until when no further one is looked at.
    failures INTEGER NOT NULL DEFAULT 0,
    locked_until INTEGER
) STRICT, WITHOUT ROWID;
