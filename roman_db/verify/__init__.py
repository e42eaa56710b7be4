"""Whether a database is what it was: its rules (audits), what blocks held when they were noted, its files."""
