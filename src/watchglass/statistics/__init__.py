"""Numbers alone: intervals, tests that hold while one watches, power, agreement. It knows no people and no records."""
