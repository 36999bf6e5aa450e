"""Paths of an image that match a pattern: ``*`` and ``?`` within a name, ``**`` for any number of folders."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator

from deadweight.evidence.scene import Scene
from deadweight.tree.node import Node

MAX_MATCHES = 100_000
"""The most paths that one pattern gives."""


def matching(scene: Scene, pattern: str) -> Iterator[str]:
    """The paths of files, links and folders that match `pattern`, sorted in each folder.

    Links to folders are followed by the parts that are not ``**``, so a path may lead through links.
    """
    parts = [part for part in pattern.split("/") if part]
    for count, path in enumerate(_matching(scene, "", parts)):
        if count >= MAX_MATCHES:
            return
        yield path


def _matching(scene: Scene, folder: str, parts: list[str]) -> Iterator[str]:
    """The same, without recursion: patterns and folders may be deep."""
    stack = [(folder, 0)]
    while stack:
        path, position = stack.pop()
        if position == len(parts):
            yield path
            continue
        children = _children(scene, path)
        part = parts[position]
        if part == "**":
            found = [(name, position) for name, node in children.items() if node.is_directory]
            if position + 1 == len(parts):
                yield from (
                    _joined(path, name) for name, node in sorted(children.items()) if node.children is None
                )
            else:
                stack.append((path, position + 1))
        elif "*" in part or "?" in part or "[" in part:
            found = [(name, position + 1) for name in fnmatch.filter(children, part)]
        else:
            found = [(part, position + 1)] if part in children else []
        stack += [(_joined(path, name), after) for name, after in sorted(found, reverse=True)]


def _children(scene: Scene, path: str) -> dict[str, Node]:
    node = scene.resolve(path)
    return node.children or {} if node is not None else {}


def _joined(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name
