"""The catalog in a browser: pages and what their plots ask for; it reads, and nothing imports it but the server."""
