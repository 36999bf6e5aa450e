"""Typed access to facts, and what is taken over from metadata that strangers wrote."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from deadweight.layer.collect import Fact

Requirements = tuple[tuple[str, ...], ...]
MAX_TEXT = 256
"""The most characters of a name, version or licence."""


def one_line(value: object) -> str:
    """`value` without the space around it, if it is one printable line of at most `MAX_TEXT` characters; else empty."""
    if not isinstance(value, str):
        return ""
    value = value.strip()
    return value if len(value) <= MAX_TEXT and value.isprintable() else ""


def text(fact: Mapping[str, Fact], name: str) -> str:
    """The string field `name`; empty where it is no string or absent."""
    value = fact.get(name)
    return value if isinstance(value, str) else ""


def texts(fact: Mapping[str, Fact], name: str) -> list[str]:
    """The strings in the list field `name`; none where it is no list or absent."""
    value = fact.get(name)
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def single_requirements(names: Iterable[str]) -> Requirements:
    """`names` as requirements without alternatives, each once, in their order."""
    return tuple((name,) for name in dict.fromkeys(names))
