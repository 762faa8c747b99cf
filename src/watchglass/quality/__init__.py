"""How well an analytic works: what reviewers found, judged against the charter's limits. Without storage or clock."""
