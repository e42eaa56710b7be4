"""Light curves on several servers, by ranges of objects."""
