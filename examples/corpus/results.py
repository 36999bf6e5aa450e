"""What became of the applications when they were slimmed, as a table; and which of them have their turn."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

TOO_LARGE = frozenset({"full"})
"""What takes minutes to build, and has no turn."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """In bytes: `wire` compressed, `unpacked` contents."""

    wire: int
    unpacked: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one application; `after` is None where no level passed."""

    name: str
    before: Sizes
    after: Sizes | None
    level: str
    kept: int
    """Of the behaviours, how many the result has."""
    behaviours: int
    seconds: float
    """Of the whole command, from an empty cache."""
    broken: tuple[str, ...]
    """The behaviours that the result has not, and the probes that fail, each with what came back."""

    @property
    def good(self) -> bool:
        return self.after is not None and not self.broken

    @classmethod
    def from_json(cls, text: str) -> Outcome:
        value = json.loads(text)
        after = value["after"]
        return cls(
            **{
                **value,
                "before": Sizes(**value["before"]),
                "after": Sizes(**after) if after is not None else None,
                "broken": tuple(value["broken"]),
            }
        )


def rotation(names: Sequence[str], count: int, turn: int) -> list[str]:
    """The `count` names whose turn it is: each turn goes on where the one before ended, and so all have theirs in the end."""
    able = [name for name in names if name not in TOO_LARGE]
    return [able[(turn * count + number) % len(able)] for number in range(min(count, len(able)))]


def render(outcomes: Iterable[Outcome]) -> str:
    """The table as Markdown, and below it what is broken."""
    outcomes = tuple(outcomes)
    lines = [
        "| application | unpacked before | after | factor | wire before | after | factor | level | behaviours kept | seconds |",
        "|---|--:|--:|--:|--:|--:|--:|---|--:|--:|",
        *map(row_of, outcomes),
    ]
    broken = [f"- {one.name}: {what}" for one in outcomes for what in one.broken]
    return "\n".join([*lines, *(["", "Broken:", "", *broken] if broken else [])]) + "\n"


def row_of(outcome: Outcome) -> str:
    before, after = outcome.before, outcome.after
    unpacked, wire = (after.unpacked, after.wire) if after is not None else (None, None)
    cells = [
        f"`{outcome.name}`",
        *sizes(before.unpacked, unpacked),
        *sizes(before.wire, wire),
        outcome.level or "**none passed**",
        f"{outcome.kept} of {outcome.behaviours}" if after is not None else "",
        f"{outcome.seconds:.1f}",
    ]
    return f"| {' | '.join(cells)} |"


def sizes(before: int, after: int | None) -> tuple[str, str, str]:
    """Before, after and how many times less that is, in megabytes."""
    if not after:
        return megabytes(before), "", ""
    return megabytes(before), megabytes(after), f"{before / after:.1f}"


def megabytes(size: int) -> str:
    """Powers of ten, as everywhere in deadweight."""
    return f"{size / 1e6:,.1f} MB"
