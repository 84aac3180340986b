-- When a session was opened, in microseconds since the Unix epoch. Earlier versions do not say.
ALTER TABLE sessions ADD COLUMN opened_at INTEGER;
