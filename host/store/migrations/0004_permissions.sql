-- What an administrator decided on tools.
CREATE TABLE tool_rules (
    -- For whom it holds: for an agent, a shared connection, or a person's own connections; with none of them, for everyone.
    agent TEXT REFERENCES agents (id) ON DELETE CASCADE,
    connection TEXT REFERENCES connections (id) ON DELETE CASCADE,
    -- A person, not a connection: who connects anew does not leave the rule behind.
    person TEXT REFERENCES people (id) ON DELETE CASCADE,
    -- None: every connector.
    connector TEXT,
    -- `effect:write`, `toolset:records`, or a tool's name.
    selector TEXT NOT NULL,
    mode TEXT NOT NULL CHECK (mode IN ('always', 'ask', 'off')),
    -- How far the tool that it names reached when it was made.
    made_for TEXT CHECK (made_for IN ('read', 'write', 'destructive')),
    created INTEGER NOT NULL,
    CHECK ((agent IS NOT NULL) + (connection IS NOT NULL) + (person IS NOT NULL) <= 1)
) STRICT;

CREATE UNIQUE INDEX tool_rules_once ON tool_rules
    (ifnull(agent, ''), ifnull(connection, ''), ifnull(person, ''), ifnull(connector, ''), selector);
CREATE INDEX tool_rules_by_agent ON tool_rules (agent);
CREATE INDEX tool_rules_by_connection ON tool_rules (connection);
CREATE INDEX tool_rules_by_person ON tool_rules (person);

-- The tools that an administrator has seen, and how far each reached then.
CREATE TABLE seen_tools (
    connector TEXT NOT NULL,
    tool TEXT NOT NULL,
    effect TEXT NOT NULL CHECK (effect IN ('read', 'write', 'destructive')),
    PRIMARY KEY (connector, tool)
) STRICT, WITHOUT ROWID;

-- What an agent may touch. It stays when the connector is taken from the agent, so that it is there when it is given again.
CREATE TABLE agent_scopes (
    agent TEXT NOT NULL REFERENCES agents (id) ON DELETE CASCADE,
    connector TEXT NOT NULL,
    -- A JSON object.
    scope TEXT NOT NULL,
    PRIMARY KEY (agent, connector)
) STRICT, WITHOUT ROWID;

-- Whether a connector is trusted to ask about what the host cannot see, where an administrator decided that.
CREATE TABLE connector_trust (
    connector TEXT PRIMARY KEY,
    trusted INTEGER NOT NULL CHECK (trusted IN (0, 1))
) STRICT, WITHOUT ROWID;

-- What agents used, where that is limited. What no window reaches any more is removed.
CREATE TABLE agent_usage (
    agent TEXT NOT NULL REFERENCES agents (id) ON DELETE CASCADE,
    connector TEXT NOT NULL,
    counted TEXT NOT NULL CHECK (counted IN ('call', 'change')),
    at INTEGER NOT NULL,
    count INTEGER NOT NULL CHECK (count > 0)
) STRICT;

CREATE INDEX agent_usage_by_time ON agent_usage (agent, connector, counted, at);
