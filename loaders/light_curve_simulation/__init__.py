"""Light curves as the survey will have them, made without pixels, and their truth."""
