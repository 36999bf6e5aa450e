"""The locales that an image has: compiled by glibc's localedef(1), or named by its config."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from deadweight.evidence.scene import Scene

FOLDER = "usr/lib/locale"
ARCHIVE = "locale-archive"
VARIABLES = ("LC_ALL", "LC_MESSAGES", "LC_CTYPE", "LANG", "LANGUAGE")

MAX_NAMES = 1 << 20
"""The most bytes of an archive in which its names are sought."""

_MAGIC = 0xDE020109


def locales(scene: Scene) -> frozenset[str]:
    """The names of all locales of `scene`, such as ``de_DE.utf8``; without C and POSIX in any encoding."""
    found = {*_compiled(scene), *_configured(scene)}
    return frozenset(name for name in found if name.partition(".")[0] not in ("C", "POSIX", ""))


def languages(name: str) -> tuple[str, ...]:
    """The names of folders that gettext looks into for the locale `name` (GNU gettext manual, "Locating Catalogs")."""
    rest, at, modifier = name.partition("@")
    rest, dot, codeset = rest.partition(".")
    language, _, territory = rest.partition("_")
    places = dict.fromkeys([f"{language}_{territory}" if territory else language, language])
    encodings = [f".{codeset}", ""] if dot else [""]
    modifiers = [f"@{modifier}", ""] if at else [""]
    return tuple(place + code + end for place in places for code in encodings for end in modifiers)


def is_utf8(name: str) -> bool:
    """Whether the locale `name` says that its encoding is UTF-8."""
    return name.partition("@")[0].partition(".")[2].lower().replace("-", "") == "utf8"


def _configured(scene: Scene) -> Iterator[str]:
    for variable in VARIABLES:
        yield from scene.environment.get(variable, "").split(":")


def _compiled(scene: Scene) -> Iterator[str]:
    folder = scene.resolve(FOLDER)
    for name, node in (folder.children or {} if folder is not None else {}).items():
        if node.is_directory:
            yield name
        elif name == ARCHIVE and node.is_file:
            yield from _in_archive(scene.contents.read(node, MAX_NAMES) or b"")


def _in_archive(raw: bytes) -> Iterator[str]:
    """The names in a locale archive (glibc, locale/locarchive.h)."""
    for order in "<>":
        if len(raw) >= 32 and struct.unpack_from(order + "I", raw)[0] == _MAGIC:
            _, _, _, _, _, start, used, _ = struct.unpack_from(order + "8I", raw)
            yield from (
                name.decode("ascii", "replace") for name in raw[start : start + used].split(b"\0") if name
            )
