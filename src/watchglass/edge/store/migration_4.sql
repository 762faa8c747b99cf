-- From schema 3 to 4: how likely an alert was right, by the test clips known when it was raised.
ALTER TABLE alert ADD COLUMN probability_per_mille INTEGER;
