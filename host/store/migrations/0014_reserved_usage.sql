-- By which call something is counted that may not come to be, so that it is given back where the call turns out to have sent nothing. Nothing
-- stands there once that is known.
ALTER TABLE agent_usage ADD COLUMN reserved_by TEXT;

CREATE INDEX agent_usage_reserved ON agent_usage (reserved_by) WHERE reserved_by IS NOT NULL;
