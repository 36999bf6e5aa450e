"""The merged file system of an image as one tar archive: what a container sees, with its owners, modes and times."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from operator import attrgetter

from deadweight.errors import NotFound
from deadweight.image import Image, Layer
from deadweight.layer.entry import FILE, HARD_LINK, Entry
from deadweight.layer.extract import read_contents
from deadweight.layer.index import LayerIndex
from deadweight.transport.tar_writer import END, header, padding
from deadweight.tree.node import Node, Tree

_PATH = attrgetter("path")


def root_archive(
    image: Image, indexes: Sequence[LayerIndex], tree: Tree, *, without: Container[str] = ()
) -> Iterator[bytes | memoryview]:
    """The archive of `tree`, which `image`'s layers with these `indexes` make, piece by piece; kinds in `without` are left out.

    Directories come first, then contents in the order of the layers, then all other names: every parent and every target
    of a hard link is there before what needs it. The same tree gives the same bytes. Each layer is read once and verified.
    Raises `NotFound` where a foreign layer is missing, and what `read_contents` raises.
    """
    missing = next((index for index in indexes if index.missing), None)
    if missing is not None:
        raise NotFound(image.reference, f"its foreign layer {missing.digest} is not there")
    directories = [node for _, node in tree.walk() if node.is_directory]
    for node in sorted(directories, key=_PATH):
        yield _header(node)
    names = _names(tree)
    for layer, index in zip(image.layers, indexes, strict=True):
        yield from _contents(image, layer, index, names.get(layer.position, {}))
    for node in tree.leaves:
        if node.is_file:
            first = names[node.layer][node.number]
            if node is not first:
                link = node.entry._replace(path=node.path, kind=HARD_LINK, size=0, link=first.path)
                yield header(link)
        elif node.entry.kind not in without:
            yield _header(node)
    yield END


def _contents(
    image: Image, layer: Layer, index: LayerIndex, names: dict[int, Node]
) -> Iterator[bytes | memoryview]:
    if not names:
        return
    with image.open_layer(layer) as stream:
        contents = read_contents(stream, layer.descriptor, layer.diff_id, index.entries, names)
        for number, content in contents:
            yield _header(names[number])
            yield from content
            yield padding(names[number].entry.size)


def _names(tree: Tree) -> dict[int, dict[int, Node]]:
    """For each layer the first name of each content of it that is visible, by the number of its entry."""
    names: dict[int, dict[int, Node]] = {}
    for node in tree.leaves:
        if node.entry.kind == FILE:
            names.setdefault(node.layer, {}).setdefault(node.number, node)
    return names


def _header(node: Node) -> bytes:
    entry: Entry = node.entry
    return header(entry if entry.path == node.path else entry._replace(path=node.path))
