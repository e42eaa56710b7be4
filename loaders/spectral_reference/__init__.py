"""References of grism and prism in the database: which there are, and which is the best."""
