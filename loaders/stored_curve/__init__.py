"""Light curves read back from the database, many objects at once, as searches and fits take them."""
