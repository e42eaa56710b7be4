"""The formats in which results are written."""
