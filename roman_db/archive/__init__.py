"""Products of the Science Support Center as the archive takes them, by the schemas of RAD."""
