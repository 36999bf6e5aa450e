"""PHP: its settings, and the extensions that they name (PHP manual, "The configuration file" and "extension_dir")."""

from __future__ import annotations

import re
from collections.abc import Iterator

from deadweight.accounting.programs import started
from deadweight.evidence.closure.runtimes import whole
from deadweight.evidence.closures import Quiet
from deadweight.evidence.globs import matching
from deadweight.evidence.model import Claim
from deadweight.evidence.scene import Scene
from deadweight.tree.node import Node

SETTINGS = "php-settings"
EXTENSION = "php-extension"

_PROGRAM = re.compile(r"php[\d.]*|php-?(?:cgi|fpm|cli|dbg)[\d.]*|frankenphp|(?:lib|mod_)php[\w.-]*\.so[\d.]*")
FILES = (
    *("etc/php/**", "etc/php.ini", "etc/php.d/*", "etc/php[0-9]*/**", "etc/php-fpm.conf", "etc/php-fpm.d/*"),
    *("usr/local/etc/php/**", "usr/local/etc/php-fpm.conf", "usr/local/etc/php-fpm.d/*", "usr/local/lib/php.ini"),
)  # fmt: skip
"""Where distributions, and builds of PHP's own, have settings."""
EXTENSIONS = (
    *("usr/lib/php/*", "usr/lib/php[0-9]*/modules", "usr/lib64/php/modules", "usr/lib64/php-zts/modules"),
    *("usr/local/lib/php/extensions/*",),
)  # fmt: skip
"""The folders of extensions, by the same."""
LIBRARIES = ("usr/share/php", "usr/share/pear", "usr/local/lib/php/*.php")
"""The include_path of the same."""
_NAMED = re.compile(
    r"(?:zend_)?extension\s*=\s*[\"']?(?:[^\s\"';]*/)?(?:php_)?([\w-]+?)(?:\.so)?[\"']?\s*(?:;.*)?$",
    re.MULTILINE,
)


class PhpClosure:
    """Follows PHP's settings."""

    name = "php"

    def open(self, scene: Scene) -> PhpFollower:
        return PhpFollower(scene)


class PhpFollower(Quiet):
    """Follows the settings of PHP in one image."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._done = False

    def follow(self, node: Node) -> Iterator[Claim]:
        if self._done or _PROGRAM.fullmatch(node.name) is None or node.path not in self._scene.elf_files:
            return
        self._done = True
        texts = ["\n".join(word for command in started(self._scene.execution) for word in command)]
        for pattern in FILES:
            for path in matching(self._scene, pattern):
                yield Claim(path, SETTINGS, "PHP reads its settings there")
                found = self._scene.resolve(path)
                texts.append((self._scene.text(found) if found is not None else None) or "")
        yield from self._extensions({name for text in texts for name in _NAMED.findall(text)})
        libraries = [path for pattern in LIBRARIES for path in matching(self._scene, pattern)]
        yield from whole(self._scene, libraries, "PHP's include_path")

    def _extensions(self, names: set[str]) -> Iterator[Claim]:
        for pattern in EXTENSIONS:
            for folder in matching(self._scene, pattern):
                for name in sorted(names):
                    yield Claim(f"{folder}/{name}.so", EXTENSION, f"PHP's settings name the extension {name}")
