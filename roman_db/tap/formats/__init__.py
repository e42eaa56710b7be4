"""Results as bytes, a block of rows at a time."""
