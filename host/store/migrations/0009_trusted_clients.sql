-- Agents whose clients an administrator trusts to ask their person.
CREATE TABLE trusted_clients (
    agent TEXT PRIMARY KEY REFERENCES agents (id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
