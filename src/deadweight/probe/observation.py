"""What probes saw. `at` is when it was seen, in whole seconds since 1970; zero where that is not known.

Bodies and output are bounded by `MAX_RECORDED`; a `truncated` one went on.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from deadweight.errors import InvalidDocument
from deadweight.oci import fields

MAX_RECORDED = 1 << 20
"""The most bytes that are kept of a body, of standard output, or of standard error."""
MAX_HEADERS = 1000


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """A response. `headers` are in their order, a name as often as it was sent; characters are Latin-1."""

    status: int
    reason: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    truncated: bool = False
    at: int = 0


@dataclass(frozen=True, slots=True)
class ExitAnswer:
    """What a command printed and how it ended; a negative `code` is the signal that ended it."""

    code: int
    stdout: bytes
    stderr: bytes
    truncated: bool = False
    at: int = 0


@dataclass(frozen=True, slots=True)
class TcpAnswer:
    """Whether a connection was accepted, and what came first without being asked."""

    accepted: bool
    first: bytes = b""
    at: int = 0


@dataclass(frozen=True, slots=True)
class Failure:
    """Why there is no answer, as for a refused connection or a time limit."""

    reason: str
    at: int = 0


Observation = HttpAnswer | ExitAnswer | TcpAnswer | Failure


def bounded(raw: bytes) -> tuple[bytes, bool]:
    """As much of `raw` as is recorded, and whether there was more."""
    return raw[:MAX_RECORDED], len(raw) > MAX_RECORDED


def to_json(observation: Observation) -> dict[str, Any]:
    """`observation` as a JSON object: bytes as text where they are UTF-8, else as base64."""
    match observation:
        case HttpAnswer():
            value: dict[str, Any] = {
                "kind": "http",
                "status": observation.status,
                "reason": observation.reason,
                "headers": [list(pair) for pair in observation.headers],
                "body": _bytes_to_json(observation.body),
                "truncated": observation.truncated,
            }
        case ExitAnswer():
            value = {
                "kind": "exit",
                "code": observation.code,
                "stdout": _bytes_to_json(observation.stdout),
                "stderr": _bytes_to_json(observation.stderr),
                "truncated": observation.truncated,
            }
        case TcpAnswer():
            value = {
                "kind": "tcp",
                "accepted": observation.accepted,
                "first": _bytes_to_json(observation.first),
            }
        case Failure():
            value = {"kind": "failure", "reason": observation.reason}
    return {**value, "at": observation.at}


def from_json(value: Mapping[str, Any], subject: str) -> Observation:
    """The observation that `to_json` wrote. Raises `InvalidDocument` naming `subject`."""
    kind = fields.text(value, "kind", subject)
    at = fields.natural(value, "at", subject)
    if kind == "http":
        return HttpAnswer(
            status=fields.natural(value, "status", subject),
            reason=fields.text(value, "reason", subject),
            headers=_headers(value, subject),
            body=_bytes_from_json(value, "body", subject),
            truncated=_flag(value, "truncated", subject),
            at=at,
        )
    if kind == "exit":
        code = value.get("code")
        if not isinstance(code, int) or isinstance(code, bool):
            raise InvalidDocument(subject, "the field 'code' must be an integer")
        return ExitAnswer(
            code=code,
            stdout=_bytes_from_json(value, "stdout", subject),
            stderr=_bytes_from_json(value, "stderr", subject),
            truncated=_flag(value, "truncated", subject),
            at=at,
        )
    if kind == "tcp":
        return TcpAnswer(_flag(value, "accepted", subject), _bytes_from_json(value, "first", subject), at)
    if kind == "failure":
        return Failure(fields.text(value, "reason", subject), at)
    raise InvalidDocument(subject, f"{kind[:20]!r} is no kind of observation")


def _bytes_to_json(raw: bytes) -> dict[str, str]:
    try:
        return {"text": raw.decode()}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(raw).decode()}


def _bytes_from_json(source: Mapping[str, Any], name: str, subject: str) -> bytes:
    value = fields.mapping(source, name, subject)
    if len(value) != 1 or not value.keys() <= {"text", "base64"}:
        raise InvalidDocument(subject, f"the field {name!r} must hold either 'text' or 'base64'")
    try:
        if "text" in value:
            raw = fields.text(value, "text", subject).encode()
        else:
            raw = base64.b64decode(fields.text(value, "base64", subject), validate=True)
    except (binascii.Error, ValueError):
        raise InvalidDocument(subject, f"the field {name!r} is not what it says it is") from None
    if len(raw) > MAX_RECORDED:
        raise InvalidDocument(subject, f"the field {name!r} has more than {MAX_RECORDED} bytes")
    return raw


def _headers(source: Mapping[str, Any], subject: str) -> tuple[tuple[str, str], ...]:
    pairs = source.get("headers")
    if not isinstance(pairs, list) or len(pairs) > MAX_HEADERS:
        raise InvalidDocument(subject, f"the field 'headers' must be an array of at most {MAX_HEADERS}")
    for pair in pairs:
        if not isinstance(pair, list) or [type(part) for part in pair] != [str, str]:
            raise InvalidDocument(subject, "a header must be an array of its name and its value")
        if not pair[0] or re.search(r"\s", pair[0]):
            raise InvalidDocument(subject, f"{pair[0][:20]!r} is no name of a header")
    return tuple((name, text) for name, text in pairs)


def _flag(source: Mapping[str, Any], name: str, subject: str) -> bool:
    value = source.get(name)
    if isinstance(value, bool):
        return value
    raise InvalidDocument(subject, f"the field {name!r} must be true or false")
