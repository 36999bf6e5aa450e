"""A trace from elsewhere: what strace(1) wrote, or a list of paths."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import IO

from deadweight.errors import InvalidDocument, LimitExceeded, TransportError
from deadweight.trace.observed import Observed, Use, observed
from deadweight.trace.observer import MAX_ASKED, observe
from deadweight.trace.strace import Reader
from deadweight.trace.view import View
from deadweight.tree.node import Tree

MAX_TRACE = 4 << 30
"""The most bytes of a trace that are read."""
MAX_LISTED_PATH = 64 << 10
"""The most bytes of a line in a list of paths."""
_PIECE = 1 << 20


def read_trace(file: Path, tree: Tree) -> Observed:
    """What `file` says of paths in `tree`: an strace log (best of ``strace -f -y``), or a list of absolute paths, a line each, as find(1)
    prints them. Of a list, files count as opened and directories as looked at; what the image has not is missing.

    Raises `TransportError` where it cannot be read, `InvalidDocument` and `LimitExceeded` for what it holds.
    """
    subject = str(file)
    try:
        with file.open("rb") as stream:
            first = stream.peek(1)[:1]
            if not first:
                raise InvalidDocument(
                    subject, "is empty", "give what strace wrote, or a list of absolute paths"
                )
            if first == b"/":
                return _listed(_lines(stream, subject), tree, subject)
            return observe(Reader(subject).read(_pieces(stream, subject)), tree)
    except OSError as error:
        raise TransportError(subject, error.strerror or str(error)) from None


def _pieces(stream: IO[bytes], subject: str) -> Iterator[bytes]:
    size = 0
    while piece := stream.read(_PIECE):
        size += len(piece)
        if size > MAX_TRACE:
            raise LimitExceeded(subject, f"has more than {MAX_TRACE} bytes")
        yield piece
    yield b"\n"  # a file may end without one


def _lines(stream: IO[bytes], subject: str) -> Iterator[bytes]:
    rest = b""
    for piece in _pieces(stream, subject):
        lines = (rest + piece).split(b"\n")
        rest = lines.pop()
        if len(rest) > MAX_LISTED_PATH:
            raise LimitExceeded(subject, f"has a line of more than {MAX_LISTED_PATH} bytes")
        yield from lines


def _listed(lines: Iterator[bytes], tree: Tree, subject: str) -> Observed:
    view = View(tree)
    uses: dict[Use, dict[str, str]] = {use: {} for use in Use}
    for number, line in enumerate(lines, 1):
        if not line:
            continue
        if not line.startswith(b"/"):
            raise InvalidDocument(f"{subject}, line {number}", "is no absolute path", "list one in each line")
        path = line.decode("utf-8", "surrogateescape")
        found = view.find(path, view.root, view.root)
        for link in found.links:
            if link.node is not None:
                uses[Use.FOLLOWED][link.node.path] = ""
        node = found.spot.node if found.spot is not None else None
        if node is not None:
            uses[Use.LOOKED_AT if node.is_directory else Use.OPENED][node.path] = ""
        elif not found.foreign:
            if len(uses[Use.MISSING]) >= MAX_ASKED:
                raise LimitExceeded(subject, f"more than {MAX_ASKED} paths are not in the image")
            uses[Use.MISSING][path] = ""
    return observed(uses)
