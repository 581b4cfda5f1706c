-- Times are milliseconds since 1970, UTC. What is sealed is a BLOB, with the id of the data key that sealed it beside it:
-- the reference keeps a key for as long as anything needs it.

CREATE TABLE keys (
    id INTEGER PRIMARY KEY,
    -- Which master key wraps it.
    master TEXT NOT NULL,
    wrapped BLOB NOT NULL,
    created INTEGER NOT NULL
) STRICT;

CREATE TABLE people (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('admin', 'member')),
    created INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE groups (
    name TEXT PRIMARY KEY,
    created INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE group_members (
    group_name TEXT NOT NULL REFERENCES groups (name) ON DELETE CASCADE,
    person TEXT NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    PRIMARY KEY (group_name, person)
) STRICT, WITHOUT ROWID;

CREATE INDEX group_members_by_person ON group_members (person);

CREATE TABLE agents (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    created INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE agent_connectors (
    agent TEXT NOT NULL REFERENCES agents (id) ON DELETE CASCADE,
    connector TEXT NOT NULL,
    account TEXT NOT NULL CHECK (account IN ('personal', 'shared')),
    -- No reference: where the shared connection is removed, the agent has none, and does not fall back on a personal one.
    connection TEXT,
    PRIMARY KEY (agent, connector),
    CHECK ((account = 'shared') = (connection IS NOT NULL))
) STRICT, WITHOUT ROWID;

CREATE TABLE connections (
    id TEXT PRIMARY KEY,
    connector TEXT NOT NULL,
    -- Whose it is; none: shared. No cascade: who removes a person takes the secrets out first, to revoke them.
    person TEXT REFERENCES people (id),
    label TEXT NOT NULL,
    origin TEXT NOT NULL,
    environment TEXT NOT NULL,
    -- What was granted: a JSON array.
    scopes TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('active', 'reconnect', 'pending')),
    reason TEXT,
    -- What a pending one takes the place of once it is known to work. No reference: where that was removed meanwhile, it does not.
    replaces TEXT,
    identity BLOB,
    identity_key INTEGER REFERENCES keys (id),
    secrets BLOB NOT NULL,
    secrets_key INTEGER NOT NULL REFERENCES keys (id),
    generation INTEGER NOT NULL,
    -- Who refreshes, and a number that it changes for as long as it lives.
    lease_holder TEXT,
    lease_beats INTEGER,
    -- A refresh was sent and its answer is not stored.
    in_flight_since INTEGER,
    created INTEGER NOT NULL,
    used INTEGER,
    refreshed INTEGER,
    CHECK ((state = 'reconnect') = (reason IS NOT NULL)),
    CHECK (replaces IS NULL OR state = 'pending'),
    CHECK ((identity IS NULL) = (identity_key IS NULL)),
    CHECK ((lease_holder IS NULL) = (lease_beats IS NULL))
) STRICT;

-- Pending ones stand beside it.
CREATE UNIQUE INDEX connections_one_each ON connections (person, connector) WHERE person IS NOT NULL AND state <> 'pending';
CREATE INDEX connections_by_person ON connections (person, created, id);
CREATE INDEX connections_pending ON connections (created) WHERE state = 'pending';
CREATE INDEX connections_by_secrets_key ON connections (secrets_key);
CREATE INDEX connections_by_identity_key ON connections (identity_key);

-- What has ended here and perhaps not at its service: kept until it was revoked there. No call finds it.
CREATE TABLE endings (
    id TEXT PRIMARY KEY,
    connector TEXT NOT NULL,
    created INTEGER NOT NULL,
    sealed BLOB NOT NULL,
    sealed_key INTEGER NOT NULL REFERENCES keys (id)
) STRICT;

CREATE INDEX endings_by_key ON endings (sealed_key);

-- Whom a shared connection is shared with: a person, a group, or, with neither, everyone.
CREATE TABLE shares (
    connection TEXT NOT NULL REFERENCES connections (id) ON DELETE CASCADE,
    person TEXT REFERENCES people (id) ON DELETE CASCADE,
    group_name TEXT REFERENCES groups (name) ON DELETE CASCADE,
    created INTEGER NOT NULL,
    CHECK (person IS NULL OR group_name IS NULL)
) STRICT;

CREATE UNIQUE INDEX shares_once ON shares (connection, ifnull(person, ''), ifnull(group_name, ''));
CREATE INDEX shares_by_person ON shares (person);
CREATE INDEX shares_by_group ON shares (group_name);

-- The clients of OAuth that people sign in with: the customer's own.
CREATE TABLE apps (
    id TEXT PRIMARY KEY,
    connector TEXT NOT NULL,
    -- For which login; empty: for each that has none of its own.
    login TEXT NOT NULL,
    client_id TEXT NOT NULL,
    secret BLOB,
    secret_key INTEGER REFERENCES keys (id),
    -- What is asked for: a JSON array; none: what the connector asks for.
    scopes TEXT,
    created INTEGER NOT NULL,
    UNIQUE (connector, login),
    CHECK ((secret IS NULL) = (secret_key IS NULL))
) STRICT, WITHOUT ROWID;

CREATE INDEX apps_by_secret_key ON apps (secret_key);

CREATE TABLE sign_ins (
    -- The SHA-256 digest of the state, which itself is not stored.
    id TEXT PRIMARY KEY,
    person TEXT NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    expires INTEGER NOT NULL,
    sealed BLOB NOT NULL,
    sealed_key INTEGER NOT NULL REFERENCES keys (id)
) STRICT;

CREATE INDEX sign_ins_by_person ON sign_ins (person, expires);
CREATE INDEX sign_ins_by_expiry ON sign_ins (expires);
CREATE INDEX sign_ins_by_key ON sign_ins (sealed_key);

CREATE TABLE links (
    -- The SHA-256 digest of the link's secret part, which itself is not stored.
    id TEXT PRIMARY KEY,
    person TEXT NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    agent TEXT NOT NULL,
    connector TEXT NOT NULL,
    expires INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX links_by_person ON links (person, expires);
CREATE INDEX links_by_expiry ON links (expires);
