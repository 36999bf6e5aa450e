"""Two texts side by side, around the first line that differs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import zip_longest

AROUND = 3
"""Lines before and after the first one that differs."""
MAX_WIDTH = 160
"""The most characters of a line that are shown."""
_BEFORE = 40
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u2028\u2029\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True, slots=True)
class Row:
    """Line `number` of both texts, from 1; None after the end of one. Long lines are cut, controls escaped."""

    number: int
    expected: str | None
    found: str | None
    same: bool


def excerpt(expected: str, found: str) -> tuple[Row, ...]:
    """The lines around the first one that differs; empty for equal texts."""
    pairs = list(zip_longest(expected.split("\n"), found.split("\n")))
    first = next((place for place, (one, two) in enumerate(pairs) if one != two), None)
    if first is None:
        return ()
    start = max(0, first - AROUND)
    return tuple(
        _row(number, one, two)
        for number, (one, two) in enumerate(pairs[start : first + AROUND + 1], start + 1)
    )


def _row(number: int, one: str | None, two: str | None) -> Row:
    start = 0
    if one is not None and two is not None and one != two:
        # Of a long line the part that differs is what matters.
        start = max(0, _common(one, two) - _BEFORE)
    left, right = (None if line is None else shown(line, start) for line in (one, two))
    return Row(number, left, right, same=one == two)


def _common(one: str, two: str) -> int:
    """How many characters both begin with."""
    for place, (left, right) in enumerate(zip(one, two, strict=False)):
        if left != right:
            return place
    return min(len(one), len(two))


def shown(line: str, start: int = 0) -> str:
    """`line` as it may be shown: from `start` on if it is long, with controls escaped."""
    if len(line) <= MAX_WIDTH:
        start = 0
    head = "..." if start else ""
    tail = "..." if len(line) > start + MAX_WIDTH else ""
    return head + _UNPRINTABLE.sub(_escape, line[start : start + MAX_WIDTH]) + tail


def _escape(match: re.Match[str]) -> str:
    r"""A control as ``\x1b``; a byte that is no UTF-8 as itself; so that output cannot steer a terminal."""
    code = ord(match[0])
    if 0xDC80 <= code <= 0xDCFF:
        code -= 0xDC00
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
