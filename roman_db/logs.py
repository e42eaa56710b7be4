"""Logs: structured, on standard error, as text for people or as JSON for machines."""

from __future__ import annotations

import logging
import sys

import structlog

from roman_db.settings import settings


def configure_logs() -> None:
    """Set up logging as the settings say."""
    chosen = settings()
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if chosen.log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.format_exc_info,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, chosen.log_level.upper())),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
