"""Light curves that others measured, from tables of any layout into the database."""
