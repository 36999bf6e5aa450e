"""The packages that Node.js finds in an image ("Loading from node_modules folders" and "Loading from the global folders" in Node's
manual, modules.md; Debian's search path, debian/patches of nodejs).
"""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property

from deadweight.evidence.globs import matching
from deadweight.evidence.scene import Scene
from deadweight.inventory.model import NPM, Package
from deadweight.tree.node import Node

DEBIAN = ("usr/share/nodejs", "usr/lib/nodejs", "usr/lib/*/nodejs")
"""Where Debian has Node's modules."""
GLOBAL = ("usr/local/lib/node", "usr/lib/node", "root/.node_modules", "root/.node_libraries")
MAX_MANIFEST = 1 << 20
_SUFFIXES = (".js", ".json", ".node", ".cjs", ".mjs")


class Packages:
    """The packages of one image."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self.by_directory: Mapping[str, Package] = {
            package.source.rpartition("/")[0]: package
            for package in scene.inventory.packages
            if package.ecosystem == NPM
        }

    @cached_property
    def names(self) -> Sequence[str]:
        """All names by which something may be found, wherever it is looked for; sorted."""
        found: set[str] = set()
        folders = [
            node for _, node in self._scene.tree.walk() if node.is_directory and node.name == "node_modules"
        ]
        folders += [node for path in self.folders if (node := self._scene.resolve(path)) is not None]
        for folder in folders:
            for name, child in (folder.children or {}).items():
                if name.startswith("@"):
                    found.update(f"{name}/{inner}" for inner in child.children or ())
                else:
                    found |= {name, name.rpartition(".")[0]}
        return sorted(found)

    @cached_property
    def known(self) -> frozenset[str]:
        """The same, to ask whether there is a name."""
        return frozenset(self.names)

    def beginning(self, start: str) -> Iterator[str]:
        """The names that begin with `start`."""
        for at in range(bisect_left(self.names, start), len(self.names)):
            if not self.names[at].startswith(start):
                return
            yield self.names[at]

    @cached_property
    def folders(self) -> Sequence[str]:
        """Where modules are looked for after every ``node_modules`` above."""
        node_path = self._scene.environment.get("NODE_PATH", "").split(":")
        debian = [path for pattern in DEBIAN for path in matching(self._scene, pattern)]
        return [folder.strip("/") for folder in (*node_path, *debian, *GLOBAL) if folder.strip("/")]

    def of(self, path: str) -> Package | None:
        """The package that the file at the real path `path` is in; of packages within packages the inner one."""
        while path:
            path = path.rpartition("/")[0]
            if path in self.by_directory:
                return self.by_directory[path]
        return None

    def find(self, name: str, directory: str) -> str | None:
        """The file that ``require(name)`` in a file of the real directory `directory` begins with; None for nothing.

        `name` is that of a package or module. The path is as Node finds it, links not followed; of a package it is that of
        its ``package.json``.
        """
        for folder in (*_node_modules(directory), *self.folders):
            found = self._in(f"{folder}/{name}")
            if found is not None:
                return found
        return None

    def _in(self, path: str) -> str | None:
        node = self._scene.resolve(path)
        if node is not None and node.is_directory:
            names = ("package.json", "index.js", "index.json", "index.node")
            return next((f"{path}/{name}" for name in names if name in (node.children or ())), path)
        return next(filter(self._is_file, (path, *(path + suffix for suffix in _SUFFIXES))), None)

    def _is_file(self, path: str) -> bool:
        node = self._scene.resolve(path)
        return node is not None and node.is_file

    def command(self, name: str, directory: str) -> str | None:
        """The path of the command `name` that npm and its like find in a ``.bin`` above `directory`."""
        for folder in _node_modules(directory):
            path = f"{folder}/.bin/{name}"
            if self._is_file(path):
                return path
        return None


def manifest_of(scene: Scene, node: Node | None) -> Mapping[str, object]:
    """What the ``package.json`` `node` says; nothing where it is no JSON object."""
    text = scene.text(node, MAX_MANIFEST) if node is not None else None
    try:
        value = json.loads(text or "")
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def names_in(manifest: Mapping[str, object], *keys: str) -> Iterator[str]:
    """The names of the packages that `manifest` lists under `keys`, sorted."""
    for key in keys:
        value = manifest.get(key)
        if isinstance(value, dict):
            yield from sorted(value)
        elif isinstance(value, list):
            yield from sorted(name for name in value if isinstance(name, str))


def _node_modules(directory: str) -> Iterator[str]:
    """The folders in which packages are looked for from `directory` on."""
    parts = [part for part in directory.split("/") if part]
    for count in range(len(parts), -1, -1):
        if not count or parts[count - 1] != "node_modules":
            yield "/".join([*parts[:count], "node_modules"])
