"""Light curves from mosaics: the catalogued objects measured in each of them."""
