"""The contents of an unpacked root file system, read without running anything in it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from deadweight.copying.root_archive import root_archive
from deadweight.image import Image
from deadweight.layer.entry import BLOCK, CHARACTER, FIFO, SYMLINK
from deadweight.layer.index import LayerIndex
from deadweight.sandbox.unpacking import fill, unpacked_size
from deadweight.scratch import scratch_folder
from deadweight.tree.node import Node, Tree

_NO_CONTENTS = frozenset({SYMLINK, CHARACTER, BLOCK, FIFO})


class UnpackedContents:
    """The files below a folder that holds the merged tree, and that nobody changes.

    Every directory on the way to a node is one in the folder too, so no symbolic link of the image is ever followed.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    def read(self, node: Node, limit: int) -> bytes | None:
        """The first `limit` bytes of the content of `node`, a regular file; None where we may not read it."""
        path = os.fsencode(self._root) + b"/" + os.fsencode(node.path)
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            return None  # it belongs to another user of the namespace
        with os.fdopen(descriptor, "rb") as stream:
            return stream.read(limit)


@contextmanager
def plain_contents(image: Image, indexes: Sequence[LayerIndex], tree: Tree) -> Iterator[UnpackedContents]:
    """The contents of `image`, unpacked as this user's for a while: where nothing may run, they can still be read.

    Only directories and regular files are made. Raises `TransportError` where they cannot be.
    """
    with scratch_folder(unpacked_size(tree)) as folder:
        root = folder / "root"
        root.mkdir()
        options = ["--extract", "--file=-", "--no-same-owner", "--no-same-permissions"]
        unpack = subprocess.Popen(
            ["tar", *options, "--directory", str(root)], stdin=subprocess.PIPE, stderr=subprocess.PIPE
        )
        fill(unpack, root_archive(image, indexes, tree, without=_NO_CONTENTS), str(root))
        yield UnpackedContents(root)
