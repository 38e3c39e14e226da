"""Errors that say what was asked, with what, what would be possible, and what to do.

    TracinVizError
    ├── InputError         the user's data, model or arguments
    ├── NotFoundError      a named thing (audit, example, class) does not exist
    ├── NotComputedError   the thing exists, but its computation has not been run
    ├── StoreError         files or database of the workspace
    ├── EngineError        the model cannot be measured as asked
    ├── JobError           a run or the query process failed
    ├── ReadOnlyError      this server shows everything and changes nothing
    └── CancelledError     somebody asked for it to stop

Every page and command shows ``str(error)``; nothing else needs to be added to make it readable.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with an input.

    Attributes:
        kind: Short machine-readable word, for grouping ("unreadable image", "class count").
        where: The file, row or key it was found in.
        message: What is wrong, in one sentence.
        remedy: What to do about it, in one sentence.
    """

    kind: str
    where: str
    message: str
    remedy: str

    def as_dict(self) -> dict[str, str]:
        """The problem as the JSON documents of the command line show it."""
        return asdict(self)


class TracinVizError(Exception):
    """Base of all errors that are meant to be read by the user.

    Args:
        message: What was asked, with what, and why it cannot be done.
        remedy: What to do instead; shown after the message.
        problems: The single problems behind the message, where there are several.
    """

    def __init__(self, message: str, *, remedy: str = "", problems: Sequence[Problem] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        self.problems = tuple(problems)

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".strip()


class InputError(TracinVizError):
    """The user's data, model or arguments cannot be used as they are."""


class NotFoundError(TracinVizError):
    """A named thing does not exist."""


class NotComputedError(TracinVizError):
    """The computation that this answer needs has not been run yet."""


class StoreError(TracinVizError):
    """The workspace's files or database cannot be read or written."""


class EngineError(TracinVizError):
    """The model cannot be measured as asked."""


class JobError(TracinVizError):
    """A run or the query process failed."""


class ReadOnlyError(TracinVizError):
    """The server was started for looking only, or this visit has no right to change this."""

    def __init__(
        self,
        message: str = "This is a read-only view: nothing can be changed here.",
        *,
        remedy: str = "Ask whoever shared it, or start the app without READ_ONLY=1 on their computer.",
        problems: Sequence[Problem] = (),
    ) -> None:
        super().__init__(message, remedy=remedy, problems=problems)


class CancelledError(TracinVizError):
    """Somebody asked for this computation to stop."""


def by_name(name: str) -> type[TracinVizError]:
    """The error class called ``name``; ``JobError`` for a name from another version."""
    for kind in TracinVizError.__subclasses__():
        if kind.__name__ == name:
            return kind
    return JobError
