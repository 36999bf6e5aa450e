"""Typed access to parsed JSON: each reader names the document and the field in its error."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn

from deadweight.errors import InvalidDocument

Object = Mapping[str, Any]


def text(source: Object, name: str, subject: str) -> str:
    """The string field `name`; empty where it is absent or null."""
    value = source.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        _wrong(subject, name, "a string", value)
    return value


def natural(source: Object, name: str, subject: str) -> int:
    """The field `name`, a non-negative integer, which must be there."""
    value = source.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        _wrong(subject, name, "a non-negative integer", value)
    return value


def mapping(source: Object, name: str, subject: str) -> dict[str, Any]:
    """The object field `name`; empty where it is absent or null."""
    value = source.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        _wrong(subject, name, "an object", value)
    return value


def texts_by_name(source: Object, name: str, subject: str) -> dict[str, str]:
    """The field `name`, an object of strings; empty where it is absent or null."""
    value = mapping(source, name, subject)
    for key, item in value.items():
        if not isinstance(item, str):
            _wrong(subject, f"{name}.{key}", "a string", item)
    return value


def texts(source: Object, name: str, subject: str) -> tuple[str, ...]:
    """The field `name`, an array of strings; empty where it is absent or null."""
    value = source.get(name)
    if value is None:
        return ()
    if not isinstance(value, list):
        _wrong(subject, name, "an array of strings", value)
    for item in value:
        if not isinstance(item, str):
            _wrong(subject, name, "an array of strings", item)
    return tuple(value)


def objects(source: Object, name: str, subject: str, most: int) -> list[dict[str, Any]]:
    """The field `name`, an array of at most `most` objects; empty where it is absent or null."""
    value = source.get(name)
    if value is None:
        return []
    if not isinstance(value, list):
        _wrong(subject, name, "an array of objects", value)
    if len(value) > most:
        raise InvalidDocument(subject, f"names {len(value)} {name}; deadweight reads at most {most}")
    for item in value:
        if not isinstance(item, dict):
            _wrong(subject, name, "an array of objects", item)
    return value


def _wrong(subject: str, name: str, expected: str, found: object) -> NoReturn:
    shown = "absent" if found is None else repr(found)[:60]
    raise InvalidDocument(subject, f"the field {name!r} must be {expected}, but is {shown}")
