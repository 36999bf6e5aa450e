"""What a run did with paths: data that can be kept, read again, put together and compared."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from deadweight.errors import InvalidDocument
from deadweight.oci import fields


class Use(StrEnum):
    """What was done with a path."""

    EXECUTED = "executed"
    OPENED = "opened"
    LISTED = "listed"
    """Its names were read: each of them has been seen."""
    LOOKED_AT = "looked_at"
    """As by stat(2); or something was made or looked for in it."""
    FOLLOWED = "followed"
    """It is a symbolic link on the way to another path."""
    MISSING = "missing"
    """Nothing was there. The path is as it was asked for, from the root, links and all."""
    CREATED = "created"
    """The run made it: it is not the image's."""


OF_IMAGE = (Use.EXECUTED, Use.OPENED, Use.LISTED, Use.LOOKED_AT, Use.FOLLOWED)
"""Uses of what the image has."""


@dataclass(frozen=True, slots=True)
class Observed:
    """For each use the paths, sorted, and for each path the program that did it first, as a path from the
    root; empty for who started the run, or if nobody knows.

    Those of `OF_IMAGE` are paths of the image's tree, without a leading slash as there. The others have one.
    """

    uses: Mapping[Use, Mapping[str, str]]

    def paths(self) -> frozenset[str]:
        """What the run used of the image."""
        return frozenset(path for use in OF_IMAGE for path in self.uses[use])

    def to_json(self) -> dict[str, Any]:
        r"""As a JSON object. In it a backslash is two, and ``\xNN`` a byte that is not UTF-8."""
        return {
            use.value: {_to_text(path): _to_text(program) for path, program in self.uses[use].items()}
            for use in Use
        }


@dataclass(frozen=True, slots=True)
class Differences:
    """Paths of the image that only one of two runs used, sorted."""

    first: tuple[str, ...]
    second: tuple[str, ...]


def observed(uses: Mapping[Use, Mapping[str, str]]) -> Observed:
    """`uses`, in order."""
    return Observed({use: dict(sorted(uses.get(use, {}).items())) for use in Use})


NOTHING = observed({})
"""What was observed where nothing ran."""


def from_json(value: Mapping[str, Any], subject: str) -> Observed:
    """What `Observed.to_json` wrote. Raises `InvalidDocument` naming `subject`."""
    unknown = value.keys() - {use.value for use in Use}
    if unknown:
        raise InvalidDocument(subject, f"{min(unknown)[:40]!r} is no use of a path")
    return observed(
        {
            use: {
                _from_text(path, subject): _from_text(program, subject)
                for path, program in fields.texts_by_name(value, use.value, subject).items()
            }
            for use in Use
        }
    )


def merge(runs: Iterable[Observed]) -> Observed:
    """What any of `runs` did; of a path's programs, the first run's that has one."""
    uses: dict[Use, dict[str, str]] = {use: {} for use in Use}
    for run in runs:
        for use, paths in run.uses.items():
            known = uses[use]
            for path, program in paths.items():
                known[path] = known.get(path) or program
    return observed(uses)


def differences(first: Observed, second: Observed) -> Differences:
    """What one run used and the other did not."""
    one, other = first.paths(), second.paths()
    return Differences(tuple(sorted(one - other)), tuple(sorted(other - one)))


def _to_text(path: str) -> str:
    r"""A path as text that is UTF-8: ``\\`` for a backslash, ``\xNN`` for a byte that is none."""
    if "\\" not in path and path.isascii():
        return path
    plain = path.replace("\\", "\\\\")
    return plain.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _from_text(text: str, subject: str) -> str:
    if "\\" not in text:
        return text
    raw = bytearray()
    pieces = iter(text.split("\\"))
    raw += next(pieces).encode()
    for piece in pieces:
        if piece == "":  # an escaped backslash: what comes after the second one is plain
            following = next(pieces, None)
            if following is None:
                raise InvalidDocument(subject, f"{text[:60]!r} ends within an escape")
            raw += b"\\" + following.encode()
        elif piece[0] == "x" and _is_byte(piece[1:3]):
            raw += bytes([int(piece[1:3], 16)]) + piece[3:].encode()
        else:
            raise InvalidDocument(subject, f"{text[:60]!r} holds an unknown escape")
    return raw.decode("utf-8", "surrogateescape")


def _is_byte(digits: str) -> bool:
    return len(digits) == 2 and all(digit in "0123456789abcdef" for digit in digits)
