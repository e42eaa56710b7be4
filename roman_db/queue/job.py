"""What a job is: the words of a command, and how it is to be done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import click

#: Groups of the command line whose commands a worker may run.
GROUPS = ("load", "run", "export", "deliveries")
#: Name under which procrastinate knows what workers do, and of the queue.
TASK, QUEUE = "command", "roman-db"


class NotAJob(ValueError):
    """The words of a command that a worker cannot run."""


@dataclass(frozen=True)
class Job:
    """A command for a worker.

    Parameters
    ----------
    words
        The command after ``roman-db``, such as ``("run", "daily", "--day", "61474")``.
    priority
        Of the jobs that wait, those with the highest are begun first.
    lock
        Of jobs with the same lock one runs at a time. Unless said, the group and name of the command.
    retries
        How often a job that failed is tried again.
    backoff_s
        Seconds to the first time; each later one takes four times as long.
    """

    words: tuple[str, ...]
    priority: int = 0
    lock: str | None = None
    retries: int = 3
    backoff_s: float = 60.0

    @property
    def lock_name(self) -> str:
        """The lock, by default that of the command: two runs of a mode never overlap."""
        return self.lock or " ".join(self.words[:2])


def check_words(root: click.Group, words: Sequence[str]) -> None:
    """Make sure that words are a command that a worker may run, with options that it has.

    Raises
    ------
    NotAJob
        If they are not.
    """
    group = root.commands.get(words[0]) if words and words[0] in GROUPS else None
    if not isinstance(group, click.Group):
        raise NotAJob(f"a job begins with one of {', '.join(GROUPS)}, got {' '.join(words) or 'nothing'!r}")
    command = group.commands.get(words[1]) if len(words) > 1 else None
    if command is None:
        known = ", ".join(sorted(group.commands))
        raise NotAJob(f"{' '.join(words[:2])!r} is no command: after {words[0]} comes one of {known}")
    try:
        command.make_context(words[1], list(words[2:])).close()
    except click.exceptions.Exit:
        raise NotAJob(f"{' '.join(words)!r} only prints: leave such options out") from None
    except click.ClickException as error:
        raise NotAJob(f"roman-db {' '.join(words)}: {error.format_message()}") from error
