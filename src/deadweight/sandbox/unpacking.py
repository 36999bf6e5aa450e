"""An archive on its way into a folder, through a tar(1) that was started to unpack it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import suppress

from deadweight.errors import TransportError, Unsupported
from deadweight.layer.entry import BLOCK, CHARACTER
from deadweight.sandbox.inside.enter import REFUSED
from deadweight.tree.node import Tree

DEVICES = frozenset({CHARACTER, BLOCK})
"""No user namespace makes them; a sandbox has its own /dev."""
_EACH = 4096
"""What a name takes at least, with its inode."""


def unpacked_size(tree: Tree) -> int:
    """The bytes that the merged `tree` takes in a file system, at most."""
    contents = {(node.layer, node.number): node.entry.size for node in tree.leaves}
    return sum(size + 2 * _EACH for size in contents.values())


def fill(tar: subprocess.Popen[bytes], archive: Iterator[bytes | memoryview], place: str) -> None:
    """Writes `archive` to the input of `tar`, a pipe as its standard error is, and waits for its end.

    Raises `TransportError` naming `place` where it fails, `Unsupported` where it could not enter its namespaces; whatever
    happens, the process is gone afterwards.
    """
    assert tar.stdin is not None and tar.stderr is not None  # noqa: S101, PT018 - pipes, as asked for
    try:
        with suppress(BrokenPipeError):  # tar says why
            for piece in archive:
                tar.stdin.write(piece)
            tar.stdin.close()
        problem = tar.stderr.read().decode("utf-8", "replace").strip()
        if tar.wait():
            last = problem.splitlines()[-1] if problem else f"tar exited with {tar.returncode}"
            if tar.returncode == REFUSED:
                raise Unsupported("the sandbox", last, "run where user namespaces have all that they need")
            raise TransportError(place, f"the image cannot be unpacked: {last}")
    finally:
        tar.kill()
        tar.wait()
        tar.stderr.close()
        with suppress(BrokenPipeError):
            tar.stdin.close()
