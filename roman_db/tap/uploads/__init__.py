"""Tables that come with a query (TAP 1.1, section 2.5): read, checked, and stored beside the catalog."""
