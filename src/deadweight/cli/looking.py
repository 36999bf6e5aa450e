"""What ``deadweight ls``, ``cat`` and ``tree`` do once their arguments are read."""

from __future__ import annotations

import argparse
import stat
import sys
from collections.abc import Iterator
from time import gmtime, strftime

from deadweight.cli.command import access_of
from deadweight.cli.progress import open_progress
from deadweight.errors import NotFound, UsageError
from deadweight.image import Image, open_image
from deadweight.indexing import index_image
from deadweight.layer.entry import BLOCK, CHARACTER, DIRECTORY, FIFO, FILE, SYMLINK, Entry
from deadweight.layer.extract import read_content
from deadweight.report.units import printable, size
from deadweight.tree.merge import merge
from deadweight.tree.nearest import nearest
from deadweight.tree.node import LinkLoop, Node, Tree

_MODES = {
    FILE: stat.S_IFREG,
    DIRECTORY: stat.S_IFDIR,
    SYMLINK: stat.S_IFLNK,
    CHARACTER: stat.S_IFCHR,
    BLOCK: stat.S_IFBLK,
    FIFO: stat.S_IFIFO,
}


def ls(options: argparse.Namespace) -> int:
    """Lists a directory, or one file."""
    with open_image(options.image, options.platform, access_of(options)) as image:
        tree = _tree_of(image)
        node = _find(tree, options.path, image)
    nodes = (
        sorted(node.children.values(), key=lambda child: child.name) if node.children is not None else [node]
    )
    out = sys.stdout
    for child in nodes:
        out.write(_line(child) + "\n")
    return 0


def cat(options: argparse.Namespace) -> int:
    """Writes a file to standard output."""
    with open_image(options.image, options.platform, access_of(options)) as image:
        node = _find(_tree_of(image), options.path, image)
        if not node.is_file:
            raise UsageError(options.path, "is no regular file", "list a directory with deadweight ls")
        layer = image.layers[node.layer]
        with image.open_layer(layer) as stream:
            for chunk in read_content(stream, layer.descriptor, node.entry):
                sys.stdout.buffer.write(chunk)
    return 0


def tree(options: argparse.Namespace) -> int:
    """Shows a directory with sizes."""
    with open_image(options.image, options.platform, access_of(options)) as image:
        node = _find(_tree_of(image), options.path, image)
    totals = _totals(node)
    sys.stdout.write(f"{size(totals[id(node)]):>9}  {printable(node.path) or '/'}\n")
    for line in _branches(node, "", options.depth, totals):
        sys.stdout.write(line + "\n")
    return 0


def _tree_of(image: Image) -> Tree:
    progress = open_progress()
    try:
        indexes = index_image(image, progress=progress)
    finally:
        progress.close()
    return merge(indexes, complete=not any(index.missing for index in indexes)).tree


def _find(tree: Tree, path: str, image: Image) -> Node:
    try:
        node = tree.resolve(path)
    except LinkLoop:
        raise NotFound(path, "leads in a circle of symbolic links") from None
    if node is None:
        near = nearest(tree, path)
        raise NotFound(
            path, f"is not in {image.reference}", f"did you mean {printable(near)}?" if near else ""
        )
    return node


def _line(node: Node) -> str:
    entry = node.entry
    mode = stat.filemode(_MODES[entry.kind] | entry.mode)
    when = strftime("%Y-%m-%d %H:%M", gmtime(entry.mtime)) if 0 <= entry.mtime < 1 << 40 else "?"
    owner = f"{entry.uid}:{entry.gid}"
    return f"{mode} {owner:>11} {_amount(entry):>12} {when} {_name(node)}"


def _amount(entry: Entry) -> str:
    if entry.kind in (CHARACTER, BLOCK):
        return f"{entry.device[0]}, {entry.device[1]}"
    return str(entry.size)


def _name(node: Node) -> str:
    name = printable(node.name) or "/"
    return f"{name} -> {printable(node.entry.link)}" if node.entry.kind == SYMLINK else name


def _totals(top: Node) -> dict[int, int]:
    """For each node the content bytes at and below it; what has several names counts at the first."""
    nodes = [node for _, node in top.walk()]
    seen: set[tuple[int, int]] = set()
    totals: dict[int, int] = {}
    for node in nodes:
        key = node.layer, node.number
        first = node.is_file and key not in seen
        seen.add(key)
        totals[id(node)] = node.entry.size if first else 0
    for node in reversed(nodes):
        if node is not top and node.parent is not None:
            totals[id(node.parent)] += totals[id(node)]
    return totals


def _branches(node: Node, indent: str, depth: int, totals: dict[int, int]) -> Iterator[str]:
    # A stack, since an image may be deeper than Python recurses.
    stack = _below(node, indent, totals) if depth > 0 else []
    while stack:
        child, indent, level, last = stack.pop()
        corner = "└── " if last else "├── "
        slash = "/" if child.is_directory else ""
        yield f"{size(totals[id(child)]):>9}  {indent}{corner}{_name(child)}{slash}"
        if level < depth:
            stack += _below(child, indent + ("    " if last else "│   "), totals, level + 1)


def _below(
    node: Node, indent: str, totals: dict[int, int], level: int = 1
) -> list[tuple[Node, str, int, bool]]:
    """The children of `node`, the smallest first, each with its indent, its level and whether it is shown last."""
    children = sorted((node.children or {}).values(), key=lambda child: child.name, reverse=True)
    children.sort(key=lambda child: totals[id(child)])
    return [(child, indent, level, number == 0) for number, child in enumerate(children)]
