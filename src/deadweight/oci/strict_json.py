"""JSON from strangers: bounded, UTF-8, without duplicate names; and JSON of ours: one form for one value."""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn, cast

from deadweight.errors import InvalidDocument, LimitExceeded

MAX_DOCUMENT = 16 << 20
"""The most bytes of a manifest, index or config. Registries refuse manifests over 4 MiB."""
MAX_DEPTH = 64

# A string without end matches too: were it no match, each quote in it would be tried again.
_STRING_OR_BRACKET = re.compile(r'"(?:[^"\\]|\\.)*+"?|[\[\]{}]', re.DOTALL)

_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def loads(raw: bytes, subject: str) -> dict[str, Any]:
    """The JSON object in `raw`.

    Raises `LimitExceeded` when it is over `MAX_DOCUMENT` bytes or `MAX_DEPTH` levels, `InvalidDocument` when it
    is not UTF-8, not JSON (RFC 8259, so no NaN), repeats a name in an object, holds half a surrogate pair (RFC 7493, section 2.1), or is
    no object.
    """
    value = _value(raw, subject)
    if not isinstance(value, dict):
        raise InvalidDocument(subject, f"is JSON of type {type(value).__name__}, not an object")
    return value


def loads_array(raw: bytes, subject: str) -> list[Any]:
    """The JSON array in `raw`. Raises as `loads` does."""
    value = _value(raw, subject)
    if not isinstance(value, list):
        raise InvalidDocument(subject, f"is JSON of type {type(value).__name__}, not an array")
    return value


def _value(raw: bytes, subject: str) -> object:
    if len(raw) > MAX_DOCUMENT:
        raise LimitExceeded(subject, f"{len(raw)} bytes of JSON are more than {MAX_DOCUMENT}")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidDocument(subject, f"is not UTF-8 at byte {error.start}") from None
    _refuse_depth(text, subject)
    try:
        value = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
        if _SURROGATE.search(text):
            canonical(value)
    except UnicodeEncodeError:
        raise InvalidDocument(subject, "holds half a surrogate pair, which is no character") from None
    except (ValueError, RecursionError) as error:
        raise InvalidDocument(subject, f"is not valid JSON: {error}") from None
    return cast("object", value)


def canonical(value: object) -> bytes:
    """One byte string for one value: names sorted, no spaces, UTF-8 (as OLPC canonical JSON, but with escapes)."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for name, value in pairs:
        if name in result:
            raise ValueError(f"the name {name[:60]!r} stands twice in one object")
        result[name] = value
    return result


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")


def _refuse_depth(text: str, subject: str) -> None:
    # Counting brackets is an upper bound of the depth (strings may hold some); only suspicious documents are
    # walked, so that the parser's recursion never decides.
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return
    depth = 0
    for match in _STRING_OR_BRACKET.finditer(text):
        bracket = match[0]
        if bracket in "[{":
            depth += 1
            if depth > MAX_DEPTH:
                raise LimitExceeded(
                    subject, f"nests deeper than {MAX_DEPTH} levels at character {match.start()}"
                )
        elif bracket in "]}":
            depth -= 1
