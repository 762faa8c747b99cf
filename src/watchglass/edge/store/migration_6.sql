-- From schema 5 to 6: how much of a clip is withheld, and why.
ALTER TABLE clip ADD COLUMN withheld_per_mille INTEGER NOT NULL DEFAULT 0;
ALTER TABLE clip ADD COLUMN withheld_why TEXT NOT NULL DEFAULT '';
