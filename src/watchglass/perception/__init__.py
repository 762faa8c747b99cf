"""From packets to incidents. Knows pictures and rules; never who anybody is."""
