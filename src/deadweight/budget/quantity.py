"""Amounts of bytes as people write them."""

from __future__ import annotations

import re

from deadweight.errors import UsageError

_UNITS = {
    "": 1,
    "b": 1,
    "kb": 10**3,
    "mb": 10**6,
    "gb": 10**9,
    "kib": 2**10,
    "mib": 2**20,
    "gib": 2**30,
}
_FORM = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([a-zA-Z]*)")


def parse_bytes(value: object, subject: str) -> int:
    """The bytes in an integer, or in text such as ``60 MB`` or ``1.5 GiB``. Raises `UsageError` naming `subject`."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    if isinstance(value, str):
        match = _FORM.fullmatch(value.strip())
        if match and match[2].lower() in _UNITS:
            return round(float(match[1]) * _UNITS[match[2].lower()])
    raise UsageError(
        subject, f"{value!r} is no size", "write bytes, or a number with kB, MB, GB, KiB, MiB or GiB"
    )


def parse_growth(value: object, subject: str) -> tuple[int | None, float | None]:
    """A growth as (bytes, None), or as (None, percent) for text such as ``5 %``. Raises `UsageError`."""
    if isinstance(value, str) and value.rstrip().endswith("%"):
        number = value.rstrip()[:-1].strip()
        try:
            percent = float(number)
        except ValueError:
            percent = -1.0
        if percent < 0 or percent != percent:
            raise UsageError(subject, f"{value!r} is no percentage", "write for example '5 %'")
        return None, percent
    return parse_bytes(value, subject), None
