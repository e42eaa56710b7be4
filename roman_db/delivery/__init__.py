"""Deliveries of products to the archive: made, verified, published, answered, and when each is due."""
