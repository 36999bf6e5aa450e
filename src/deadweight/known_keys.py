"""Settings with a key that nobody knows are refused: a limit that was misspelt would be no limit."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from deadweight.errors import UsageError


def require_known(keys: Iterable[str], known: tuple[str, ...], subject: str) -> None:
    """Raises `UsageError` for the first of `keys` that is not in `known`, naming the nearest that is."""
    for key in keys:
        if key not in known:
            near = get_close_matches(key, known, 1)
            remedy = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(known)}"
            raise UsageError(subject, f"has the unknown key {key!r}", remedy)
