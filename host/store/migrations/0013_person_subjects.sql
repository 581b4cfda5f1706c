-- By which names issuers of OpenID Connect know a person: whoever has such a token is them.
CREATE TABLE person_subjects (
    issuer TEXT NOT NULL,
    subject TEXT NOT NULL,
    person TEXT NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    created INTEGER NOT NULL,
    PRIMARY KEY (issuer, subject)
) STRICT, WITHOUT ROWID;

CREATE INDEX person_subjects_by_person ON person_subjects (person, issuer, subject);
