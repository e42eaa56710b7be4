"""What an event says of its source and its lens: angular sizes, motions, masses and distances."""
