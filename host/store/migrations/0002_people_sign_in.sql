-- How a person proves from elsewhere who they are: a random token of which the digest alone is stored.
CREATE TABLE person_tokens (
    -- By which it is named; it is no secret.
    id TEXT PRIMARY KEY,
    digest TEXT NOT NULL UNIQUE,
    person TEXT NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    label TEXT NOT NULL,
    created INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    used INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX person_tokens_by_person ON person_tokens (person, created);

-- A browser that is signed in by a token: it ends with the token, and so with the person.
CREATE TABLE sessions (
    -- The SHA-256 digest of the browser's secret, which itself is not stored.
    id TEXT PRIMARY KEY,
    token TEXT NOT NULL REFERENCES person_tokens (id) ON DELETE CASCADE,
    expires INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX sessions_by_token ON sessions (token, expires);
CREATE INDEX sessions_by_expiry ON sessions (expires);

-- Links live ten minutes: those that are open now are given again.
DROP TABLE links;

CREATE TABLE links (
    -- The SHA-256 digest of the link's secret part, which itself is not stored.
    id TEXT PRIMARY KEY,
    person TEXT NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    -- Who asked for it; none: the person themselves, who waits for what comes of it.
    agent TEXT,
    connector TEXT NOT NULL,
    expires INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX links_by_person ON links (person, expires);
CREATE INDEX links_by_expiry ON links (expires);

-- What came of a link, for who waits: a connection, or why there is none.
CREATE TABLE link_ends (
    -- The link's id.
    id TEXT PRIMARY KEY,
    person TEXT NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    connection TEXT,
    problem TEXT,
    hint TEXT,
    expires INTEGER NOT NULL,
    CHECK ((connection IS NULL) = (problem IS NOT NULL)),
    CHECK (hint IS NULL OR problem IS NOT NULL)
) STRICT, WITHOUT ROWID;

CREATE INDEX link_ends_by_person ON link_ends (person);
CREATE INDEX link_ends_by_expiry ON link_ends (expires);
