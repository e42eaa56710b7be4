"""What a user can set, and the only place that reads environment variables.

Every field is read from the environment variable ``ROMAN_DB_<FIELD>``; an empty variable counts as unset.
The descriptions below are the documentation that users read.
"""

from __future__ import annotations

import functools
import ipaddress
import os
import urllib.parse
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from roman_db.cluster.machine import usable_cpus

_URL_SCHEMES = ("postgresql://", "postgresql+psycopg2://")
_URL_FORM = "postgresql://user:password@host:port/database"

#: Root's own folder is closed to the account that runs the server for root, so root's data lives here.
ROOT_HOME = Path("/var/lib/roman-db")


def default_home() -> Path:
    """Return where the data lives when nothing is said.

    Root gets a system folder, everybody else a folder of their own as the XDG Base Directory Specification
    0.8 has it; a relative ``XDG_DATA_HOME`` is ignored, as that specification asks.
    """
    if os.geteuid() == 0:
        return ROOT_HOME
    chosen = Path(os.environ.get("XDG_DATA_HOME", ""))
    return (chosen if chosen.is_absolute() else Path.home() / ".local/share") / "roman-db"


def _absolute(path: Path) -> Path:
    return path.expanduser().absolute()


def _networks(listed: str | None) -> str | None:
    """Check that a text is a list of addresses or networks."""
    for one in listed.split(",") if listed is not None else ():
        try:
            ipaddress.ip_network(one.strip())
        except ValueError:
            raise ValueError(
                f"{one.strip()!r} is no address or network: write 127.0.0.1 or 10.0.0.0/24, with commas"
            ) from None
    return listed


def _postgresql(url: str | None) -> str | None:
    """Check that an address is one of PostgreSQL; the password in it is not shown."""
    if url is None:
        return None
    if not url.startswith(_URL_SCHEMES):
        raise ValueError(f"must start with {' or '.join(_URL_SCHEMES)}")
    try:
        parts = urllib.parse.urlsplit(url)
        _ = parts.port
    except ValueError:
        raise ValueError(
            f"must look like {_URL_FORM} with a number from 0 to 65535 as port; "
            "write / : @ and # of a password as %2F %3A %40 and %23"
        ) from None
    if not parts.path.strip("/"):
        raise ValueError(f"must name a database: {_URL_FORM}")
    return url


class Settings(BaseSettings):
    """The settings of every command and service, one field a setting."""

    model_config = SettingsConfigDict(
        env_prefix="ROMAN_DB_", env_ignore_empty=True, extra="ignore", frozen=True, hide_input_in_errors=True
    )

    url: Annotated[str | None, AfterValidator(_postgresql)] = Field(
        default=None,
        repr=False,
        description="PostgreSQL server to use, as postgresql://user:password@host:port/database. "
        "Without it roman-db runs a private server of its own.",
    )
    reader_url: Annotated[str | None, AfterValidator(_postgresql)] = Field(
        default=None,
        repr=False,
        description="The database of ROMAN_DB_URL for an account that may only read, as whom queries then "
        "run. Without it they run as the account of ROMAN_DB_URL in the role roman_reader.",
    )
    home: Annotated[Path, AfterValidator(_absolute)] = Field(
        default_factory=default_home,
        description="Folder of the private server and its data. Default: ~/.local/share/roman-db "
        f"(below $XDG_DATA_HOME where that is set), for root {ROOT_HOME}.",
    )
    backup_folder: Annotated[Path, AfterValidator(_absolute)] | None = Field(
        default=None,
        description="Folder of the private server's backups, on another disk than ROMAN_DB_HOME. With it the "
        "server archives its write-ahead log there, so that it can be restored to any moment.",
    )
    products: Annotated[Path, AfterValidator(_absolute)] | None = Field(
        default=None,
        description="Folder of the images and catalogs that are made. Default: the folder products in "
        "ROMAN_DB_HOME.",
    )
    deliveries: Annotated[Path, AfterValidator(_absolute)] | None = Field(
        default=None,
        description="Folder from which the archive takes deliveries, and into which it puts its answers. "
        "Default: the folder deliveries in ROMAN_DB_HOME.",
    )
    extinction_configuration: Annotated[Path, AfterValidator(_absolute)] | None = Field(
        default=None,
        description="YAML file with values of the red clump, its distance and the dust that replace the "
        "release's in maps of extinction.",
    )
    pg_bin: Annotated[Path, AfterValidator(_absolute)] | None = Field(
        default=None,
        description="Folder with PostgreSQL's programs (initdb, pg_ctl, postgres) for the private server. "
        "Nothing else is looked at when it is set.",
    )
    pg_port: int | None = Field(
        default=None,
        ge=1024,
        le=65535,
        description="TCP port of the loopback interface on which the private server also listens. "
        "Without it the server is reached through its unix socket only.",
    )
    pg_memory_mb: int | None = Field(
        default=None,
        ge=256,
        description="Memory in MiB that the private server's configuration is made for. "
        "Default: what the machine or the container has.",
    )
    workers: int = Field(
        default_factory=usable_cpus,
        ge=1,
        description="Processes that work in parallel. Default: the CPUs of the machine or the container.",
    )
    worker_silent_s: float = Field(
        default=30,
        ge=1,
        le=3600,
        description="Seconds without a sign of life after which a worker of the queue counts as dead, and "
        "its job is given to others. Connections over TCP without one are closed after about as long.",
    )
    alert_url: str | None = Field(
        default=None,
        pattern="^https?://",
        repr=False,
        description="Address to which workers send alerts as JSON (POST). Without it they are rows of "
        "ops.alert alone.",
    )
    tap_url: str | None = Field(
        default=None,
        pattern="^https?://",
        description="Address at which people reach `roman-db serve`, where that is a proxy in front of it. "
        "Without it answers name the address that the request names.",
    )
    tap_proxies: Annotated[str, AfterValidator(_networks)] | None = Field(
        default=None,
        description="Addresses or networks, with commas between them, of proxies in front of `roman-db "
        "serve`, whose X-Forwarded-Proto and X-Forwarded-For are believed. Without it nobody's are.",
    )
    tap_connections: int = Field(
        default=8,
        ge=1,
        le=1000,
        description="Queries from outside that run at the same time; more wait for their turn.",
    )
    tap_timeout_s: float = Field(
        default=600,
        gt=0,
        le=2_000_000,
        description="Seconds after which a query from outside is ended.",
    )
    tap_pace_s: float = Field(
        default=60,
        gt=0,
        le=86_400,
        description="Seconds in which a client must take each MiB of the answer to a query, and send each "
        "MiB of tables that come with one; a slower one is cut off, as it holds a place meanwhile.",
    )
    tap_memory_mb: int = Field(
        default=64,
        ge=1,
        le=2**20,
        description="Memory in MiB of each sort or join of a query from outside; what needs more uses disk.",
    )
    tap_rows: int = Field(
        default=1_000_000, ge=1, description="Rows that a query from outside gets unless it says MAXREC."
    )
    tap_max_rows: int = Field(
        default=100_000_000,
        ge=1,
        le=10**12,
        description="Most rows that a query from outside can get, whatever MAXREC it says.",
    )
    tap_upload_mb: int = Field(
        default=32,
        ge=1,
        le=2**12,
        description="Most MiB of the tables that come with a query from outside.",
    )
    tap_upload_rows: int = Field(
        default=1_000_000, ge=1, description="Most rows of each table that comes with a query from outside."
    )
    tap_upload_fetch: bool = Field(
        default=True,
        description="Whether tables of queries from outside are fetched from public addresses that they "
        "name, as TAP 1.1 asks of a service that takes tables.",
    )
    tap_jobs: int = Field(
        default=2,
        ge=1,
        le=1000,
        description="Asynchronous queries from outside that run at the same time; more wait for their turn.",
    )
    tap_job_timeout_s: int = Field(
        default=14_400,
        ge=1,
        le=2_000_000,
        description="Seconds after which an asynchronous query from outside is ended, whatever it asks for.",
    )
    tap_job_days: float = Field(
        default=14,
        gt=0,
        le=10_000,
        description="Days after which asynchronous queries and their results are removed.",
    )
    tap_job_folder: Annotated[Path, AfterValidator(_absolute)] | None = Field(
        default=None,
        description="Folder of the results of asynchronous queries; services on several machines share it. "
        "Default: the folder jobs in ROMAN_DB_HOME.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="The least severe message that is logged: debug, info, warning or error."
    )
    log_format: Literal["text", "json"] = Field(
        default="text", description="How log messages look: text for people, json for machines."
    )

    @property
    def product_folder(self) -> Path:
        """Folder of the images and catalogs that are made."""
        return self.products or self.home / "products"

    @property
    def delivery_folder(self) -> Path:
        """Folder from which the archive takes deliveries."""
        return self.deliveries or self.home / "deliveries"

    @property
    def job_folder(self) -> Path:
        """Folder of the results of asynchronous queries."""
        return self.tap_job_folder or self.home / "jobs"

    @field_validator("log_level", "log_format", mode="before")
    @classmethod
    def _lower(cls, value: object) -> object:
        return value.lower() if isinstance(value, str) else value

    @model_validator(mode="after")
    def _reader_goes_with_url(self) -> Self:
        if self.reader_url is not None and self.url is None:
            raise ValueError(
                "ROMAN_DB_READER_URL goes with ROMAN_DB_URL: set both, or neither for the private server"
            )
        return self


@functools.cache
def settings() -> Settings:
    """Return the settings of this process, read once."""
    return Settings()
