"""``roman-db serve``."""

from __future__ import annotations

import click


def commands(root: click.Group) -> None:
    """Add the command of this package."""
    root.add_command(serve)


@click.command("serve")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="Port; 0 for a free one."
)
def serve(host: str, port: int) -> None:
    """Serve the catalog to TOPCAT, pyvo and other clients of the Virtual Observatory, until interrupted.

    They find the service (TAP) at http://HOST:PORT/tap.
    """
    from roman_db.tap.heap import share_arenas
    from roman_db.tap.without_pandas import keep_out_pandas

    share_arenas()
    keep_out_pandas()
    from roman_db.tap.server import run

    run(host, port)
