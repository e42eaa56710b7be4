"""What the report of a season or survey shows: variables, extinction, events, and a page for each event."""
