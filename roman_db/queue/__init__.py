"""Commands that workers run on any number of machines; the queue is in PostgreSQL (procrastinate)."""
