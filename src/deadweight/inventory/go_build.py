"""What the Go linker writes into a program of itself (Go's packages debug/buildinfo and runtime/debug).

The section ``.go.buildinfo`` begins with a magic of 14 bytes, the size of a pointer and a byte of flags. Since Go 1.18 two
strings follow at offset 32, each after its length: the version of Go and the module information. Before, two addresses
followed, each of a string header. The module information is text in lines of fields separated by tabs, between two
sentinels of 16 bytes.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

MAGIC = b"\xff Go buildinf:"
HEADER_SIZE = 32
MAX_SIZE = 1 << 20
"""The most bytes of module information that are read; 2,000 dependencies take 200 KB."""

_Order = Literal["big", "little"]
_BIG_ENDIAN = 1
_INLINE = 2
_SENTINEL = 16
_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U(0010[0-9a-fA-F]{4}|000[0-9a-fA-F]{5})|(.))")
_ESCAPED = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


@dataclass(frozen=True, slots=True)
class GoModule:
    """A module; `replacement` is what a replace directive put in its place."""

    path: str
    version: str
    """``(devel)`` or empty for what was built from a working tree."""
    replacement: GoModule | None = None


@dataclass(frozen=True, slots=True)
class GoBuild:
    """The build information of one Go program."""

    version: str
    """Of Go, such as ``go1.22.1``."""
    path: str = ""
    """The import path of the main package."""
    module: GoModule | None = None
    """The module that holds the main package."""
    dependencies: tuple[GoModule, ...] = ()
    settings: tuple[tuple[str, str], ...] = ()
    """Name and value in the order of the file: ``-ldflags``, ``-trimpath``, ``CGO_ENABLED``, ``vcs.revision`` ..."""


def read_strings(section: bytes, at_address: Callable[[int, int], bytes]) -> tuple[str, str] | None:
    """The version of Go and the module information in `section`; None where there are none.

    `at_address(address, length)` reads memory as the program would see it; what it raises passes through.
    """
    if len(section) < 16 or not section.startswith(MAGIC):
        return None
    pointer_size, flags = section[14], section[15]
    if flags & _INLINE:
        version, end = _inline_string(section, HEADER_SIZE)
        modules, _ = _inline_string(section, end)
    elif pointer_size in (4, 8):
        order: _Order = "big" if flags & _BIG_ENDIAN else "little"
        version, modules = (
            _string_at(section[start : start + pointer_size], order, at_address)
            for start in (16, 16 + pointer_size)
        )
    else:
        return None
    inner = modules[_SENTINEL:-_SENTINEL] if modules[-_SENTINEL - 1 : -_SENTINEL] == b"\n" else b""
    return _text(version), _text(inner)


def parse(version: str, text: str) -> GoBuild | None:
    """The build that `read_strings` found; None where the version is none of Go's."""
    if not version or len(version) > 256:
        return None
    main = ""
    module: GoModule | None = None
    dependencies: list[GoModule] = []
    settings: list[tuple[str, str]] = []
    for line in text.split("\n"):
        kind, _, rest = line.partition("\t")
        fields = rest.split("\t")
        if kind == "path":
            main = fields[0]
        elif kind == "mod":
            module = _module(fields)
        elif kind == "dep":
            dependencies.append(_module(fields))
        elif kind == "=>" and dependencies:
            dependencies[-1] = replace(dependencies[-1], replacement=_module(fields))
        elif kind == "=>" and module is not None:
            module = replace(module, replacement=_module(fields))
        elif kind == "build":
            settings.append(_setting(rest))
    return GoBuild(version, main, module, tuple(dependencies), tuple(settings))


def _module(fields: list[str]) -> GoModule:
    return GoModule(fields[0], fields[1] if len(fields) > 1 else "")


def _setting(text: str) -> tuple[str, str]:
    if text.startswith('"'):
        end = re.match(r'"(?:[^"\\]|\\.)*"', text)
        name, value = (text[: end.end()], text[end.end() + 1 :]) if end else (text, "")
    else:
        name, _, value = text.partition("=")
    return _unquoted(name), _unquoted(value)


def _unquoted(text: str) -> str:
    """The string of a Go literal; what is no literal stays."""
    if len(text) < 2 or text[0] != text[-1] or text[0] not in '"`':
        return text
    if text[0] == "`":
        return text[1:-1]
    return _ESCAPE.sub(_character, text[1:-1])


def _character(escape: re.Match[str]) -> str:
    number = escape[1] or escape[2] or escape[3]
    if not number:
        return _ESCAPED.get(escape[4], escape[4])
    point = int(number, 16)
    return "\ufffd" if 0xD800 <= point < 0xE000 else chr(point)


def _inline_string(data: bytes, start: int) -> tuple[bytes, int]:
    """The string after the varint (encoding/binary, base 128, least significant first) at `start`, and its end."""
    length = 0
    for shift in range(0, 35, 7):
        byte = data[start] if start < len(data) else 0
        start += 1
        length |= (byte & 0x7F) << shift
        if byte < 0x80:
            return data[start : start + length], start + length
    return b"", len(data)


def _string_at(pointer: bytes, order: _Order, at_address: Callable[[int, int], bytes]) -> bytes:
    size = len(pointer)
    header = at_address(int.from_bytes(pointer, order), 2 * size)
    address = int.from_bytes(header[:size], order)
    length = int.from_bytes(header[size:], order)
    return at_address(address, length) if length <= MAX_SIZE else b""


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")
