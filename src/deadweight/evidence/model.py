"""Evidence: why a path is needed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple


class Claim(NamedTuple):
    """That something needs `path`. A NamedTuple, because there may be several for each file of an image.

    `path` leads from the root of the image, with or without a leading slash. Symbolic links on the way are followed, and
    needed too. Where nothing is, nothing is claimed; a directory is needed as it is, without what it holds.
    """

    path: str
    rule: str
    """The id of what found it out, such as ``elf-needed``: a word that stays the same between releases."""
    because: str
    """Completes "PATH is needed: ...", as in "the dynamic linker loads it by its soname"."""
    light: bool = False
    """Only what it takes to start is needed with it, as for a command that stays because people like to have it."""


class Reason(NamedTuple):
    """The first claim on a path that was heard of."""

    source: str
    """The path of the file that makes the claim; empty for a root."""
    rule: str
    because: str


@dataclass(frozen=True, slots=True)
class Step:
    """One link of a chain of evidence."""

    path: str
    rule: str
    because: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that is needed, by real path in the merged tree: files, links and directories. Parents are not named."""

    reasons: Mapping[str, Reason]
    problems: tuple[str, ...] = ()
    """What could not be looked into, and so may need more than is known: "PATH: why"."""

    def chain(self, path: str) -> tuple[Step, ...]:
        """From `path` back to the root that it is needed for; empty where nothing needs it."""
        steps: list[Step] = []
        seen: set[str] = set()
        while path in self.reasons and path not in seen:
            seen.add(path)
            reason = self.reasons[path]
            steps.append(Step(path, reason.rule, reason.because))
            path = reason.source
        return tuple(steps)
