"""Level-3 mosaics: what is registered of their files."""
