"""Which objects detected sources are."""
