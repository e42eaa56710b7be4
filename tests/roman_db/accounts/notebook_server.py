"""Stands for a notebook server: says as whom the token in its environment signs in."""

import http.server
import json
import os
from urllib.parse import urlsplit

from roman_db.accounts.token_store import sign_in
from roman_db.service_failure import NotSignedIn


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers every address."""

    def do_GET(self) -> None:
        """Say who it is, and which variables the server was given."""
        try:
            found = sign_in(os.environ["ROMAN_TAP_TOKEN"])
            name, scopes = found.account.name, sorted(found.scopes)
        except NotSignedIn:
            name, scopes = None, []
        said = {"name": name, "scopes": scopes, "tap_url": os.environ["ROMAN_TAP_URL"]}
        body = json.dumps(said).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments) -> None:
        """Log nothing."""


where = urlsplit(os.environ["JUPYTERHUB_SERVICE_URL"])
http.server.ThreadingHTTPServer((where.hostname, where.port), Handler).serve_forever()
