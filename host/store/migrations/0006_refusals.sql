-- For which connector a link was: an agent whose person was refused says why.
ALTER TABLE link_ends ADD COLUMN connector TEXT;
