"""Who may do what: roles and grants. The charter says whether; this room says who."""
