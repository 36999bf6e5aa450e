"""Facts of the form "if this is needed, so is that, because": read from ``knowledge/libraries.toml``, each with its origin."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources

WHENS = ("library", "program", "file", "go", "static")
_KEYS = frozenset({"id", "when", "keep", "only", "because", "origin"})
_REQUIRED = _KEYS - {"only"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One fact."""

    id: str
    when: str
    """One of `WHENS`."""
    names: tuple[str, ...]
    """Patterns of what `when` names; empty for ``go`` and ``static``."""
    keep: tuple[str, ...]
    """Patterns of paths, with ``{lib}`` and ``{terminfo}`` for folders."""
    only: tuple[str, ...]
    """Patterns of paths of packages that stay only if something needs them."""
    because: str
    origin: str


def library_knowledge() -> Sequence[Entry]:
    """The facts that come with deadweight."""
    text = resources.files("deadweight.evidence").joinpath("knowledge/libraries.toml").read_text("utf-8")
    return parse(text)


def parse(text: str) -> Sequence[Entry]:
    """The entries in `text`, in their order. Raises `ValueError` for one that is not as the head of the file says."""
    value = tomllib.loads(text)
    if set(value) != {"entry"}:
        raise ValueError(f"only entries are known, not {sorted(value)}")
    entries = [_entry(table) for table in value["entry"]]
    names = [entry.id for entry in entries]
    if len(set(names)) != len(names):
        raise ValueError(f"two entries have one id: {sorted(names)}")
    return entries


def _entry(table: Mapping[str, object]) -> Entry:
    name = table.get("id")
    if not isinstance(name, str) or not _KEYS >= set(table) >= _REQUIRED:
        raise ValueError(
            f"the entry {name!r} must have {sorted(_REQUIRED)}, and may have 'only'; it has {sorted(table)}"
        )
    when = table["when"]
    if not isinstance(when, dict) or len(when) != 1 or not set(when) <= set(WHENS):
        raise ValueError(f"the entry {name!r} must have one of {WHENS} as 'when'")
    ((kind, names),) = when.items()
    return Entry(
        id=name,
        when=kind,
        names=() if names is True else _texts(name, names),
        keep=_texts(name, table["keep"]),
        only=_texts(name, table.get("only", [])),
        because=_text(name, table["because"]),
        origin=_text(name, table["origin"]),
    )


def _texts(entry: str, value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise ValueError(f"the entry {entry!r} has {value!r} where a list of texts must be")
    return tuple(_text(entry, item) for item in value)


def _text(entry: str, value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError(f"the entry {entry!r} has {value!r} where a text must be")
    return value
