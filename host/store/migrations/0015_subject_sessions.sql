-- A browser that is signed in by the word of an issuer: it ends with the name by which that knows the person, and so with the person.
CREATE TABLE subject_sessions (
    -- The SHA-256 digest of the browser's secret, which itself is not stored.
    id TEXT PRIMARY KEY,
    issuer TEXT NOT NULL,
    subject TEXT NOT NULL,
    expires INTEGER NOT NULL,
    FOREIGN KEY (issuer, subject) REFERENCES person_subjects (issuer, subject) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE INDEX subject_sessions_by_subject ON subject_sessions (issuer, subject, expires);
CREATE INDEX subject_sessions_by_expiry ON subject_sessions (expires);
