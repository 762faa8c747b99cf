-- From schema 4 to 5: a source may have several views, each with its own backdrop.
ALTER TABLE backdrop ADD COLUMN scene TEXT NOT NULL DEFAULT 'day';
