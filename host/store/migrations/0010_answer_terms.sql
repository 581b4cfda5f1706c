-- What an approval was used under, as a keyed digest: what the agent might touch, and whose account it was. The answer is handed out
-- under the same alone; without it, not at all.
ALTER TABLE approvals ADD COLUMN terms TEXT;
