-- By which call something is counted that may not come to be, so that it is given back where the call turns out to have sent nothing. The
-- first start of a program after the call's end takes it away, and sooner it goes where the call gives back itself; of a call that is not in the
-- log it stays for as long as the row.
ALTER TABLE agent_usage ADD COLUMN reserved_by TEXT;

CREATE INDEX agent_usage_reserved ON agent_usage (reserved_by) WHERE reserved_by IS NOT NULL;
