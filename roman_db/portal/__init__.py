"""The catalog in a browser: pages and what their plots ask for. It reads; the server alone imports it."""
