"""Light curves of old seasons in Parquet files instead of the database, and back."""
