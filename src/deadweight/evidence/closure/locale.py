"""Locales, and messages in the languages that an image can speak."""

from __future__ import annotations

from collections.abc import Iterator

from deadweight.evidence.closures import Quiet
from deadweight.evidence.company import SYSTEM
from deadweight.evidence.locales import FOLDER, languages, locales
from deadweight.evidence.model import Claim
from deadweight.evidence.scene import Scene
from deadweight.inventory.model import Package
from deadweight.tree.node import Node

LOCALE = "locale"
MESSAGES = "messages"

CATALOGUES = "usr/share/locale/"


class LocaleClosure:
    """Follows the C library to locales, and packages to their messages."""

    name = "locale"

    def open(self, scene: Scene) -> LocaleFollower:
        return LocaleFollower(scene)


class LocaleFollower(Quiet):
    """Decides about compiled locales, and about messages (gettext) of packages of the distribution.

    A program speaks a language only if the C library has its locale: so messages in others are never read.
    """

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._entered: set[int] = set()
        self._languages = {place: name for name in sorted(locales(scene)) for place in languages(name)}

    def follow(self, node: Node) -> Iterator[Claim]:
        elf = self._scene.elf_files.get(node.path)
        if elf is not None and elf.soname == "libc.so.6":
            for found in self._scene.below(FOLDER):
                yield Claim(found.path, LOCALE, "the C library takes locales from there by name (locale(7))")
            for language, name in self._languages.items():
                # Debian has it in a package of its own, libc-l10n.
                path = f"{CATALOGUES}{language}/LC_MESSAGES/libc.mo"
                yield Claim(
                    path, MESSAGES, f"it is what the C library says in the locale {name} (strerror(3))"
                )
        package = self._scene.owner(node.path)
        if self._languages and package is not None and id(package) not in self._entered:
            self._entered.add(id(package))
            for path in package.paths:
                place = self._languages.get(_language(path))
                if place is not None:
                    because = (
                        f"it is a message catalogue of {package.name}, and the image has the locale {place}"
                    )
                    yield Claim(path, MESSAGES, because)

    def decides(self, node: Node, owner: Package | None) -> bool:
        if owner is None or owner.ecosystem not in SYSTEM:
            return False
        return node.path.startswith(f"{FOLDER}/") or bool(_language(node.path))


def _language(path: str) -> str:
    """The language of the message catalogue at `path`; empty for what is none."""
    if not path.startswith(CATALOGUES):
        return ""
    language, _, rest = path.removeprefix(CATALOGUES).partition("/")
    return language if rest.startswith("LC_") else ""
