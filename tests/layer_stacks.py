"""Stacks of small layers for property tests: as data, as tar streams, and as indexes of our scanner."""

from __future__ import annotations

import hashlib
import io
import tarfile
from array import array
from collections.abc import Sequence
from dataclasses import dataclass

from hypothesis import strategies as st

from deadweight.layer.entry import DIRECTORY, FILE, HARD_LINK, SYMLINK
from deadweight.layer.index import LayerIndex, WireMap
from deadweight.layer.scanner import Scanner
from deadweight.oci.digest import Digest

NAMES = ("a", "b", "c")
CONTENTS = (b"", b"one", b"three", b"a longer content")
_TYPES = {
    FILE: tarfile.REGTYPE,
    DIRECTORY: tarfile.DIRTYPE,
    SYMLINK: tarfile.SYMTYPE,
    HARD_LINK: tarfile.LNKTYPE,
}


@dataclass(frozen=True)
class Item:
    """One tar entry to be."""

    path: str
    kind: str
    content: bytes = b""
    link: str = ""
    mode: int = 0
    """0 for the usual one of the kind."""


Stack = Sequence[Sequence[Item]]

_PATHS = st.lists(st.sampled_from(NAMES), min_size=1, max_size=3).map("/".join)
_TARGETS = st.one_of(
    _PATHS,
    _PATHS.map(lambda path: "/" + path),
    st.sampled_from(["..", "../a", "../../b", ".", "/", "missing", "b/../c"]),
)


def _whiteout(path: str) -> Item:
    directory, _, name = path.rpartition("/")
    return Item(f"{directory}/.wh.{name}".lstrip("/"), FILE)


def _opaque(path: str) -> Item:
    return Item(f"{path}/.wh..wh..opq", FILE)


_ITEMS = st.one_of(
    st.builds(Item, _PATHS, st.just(FILE), st.sampled_from(CONTENTS)),
    st.builds(Item, _PATHS, st.just(FILE), st.sampled_from(CONTENTS)),
    st.builds(Item, _PATHS, st.just(DIRECTORY)),
    st.builds(Item, _PATHS, st.just(SYMLINK), st.just(b""), _TARGETS),
    st.builds(Item, _PATHS, st.just(HARD_LINK), st.just(b""), _PATHS),
    st.builds(_whiteout, _PATHS),
    st.builds(_opaque, _PATHS),
)

stacks = st.lists(st.lists(_ITEMS, max_size=6), min_size=1, max_size=4)
"""Layers with whiteouts of files and directories, opaque directories, type changes, links of both kinds, symbolic links
in parents, entries that stand twice, contents stated again, in any order."""

_LINKED = st.one_of(
    st.builds(Item, _PATHS, st.just(FILE), st.sampled_from(CONTENTS)),
    st.builds(Item, _PATHS, st.just(HARD_LINK), st.just(b""), _PATHS),
    st.builds(Item, _PATHS, st.just(HARD_LINK), st.just(b""), _PATHS),
    st.builds(_whiteout, _PATHS),
)
linked_stacks = st.lists(st.lists(_LINKED, max_size=6), min_size=1, max_size=4)
"""Layers of little else than hard links, and whiteouts of what they lead to."""


def tar_of(layer: Sequence[Item]) -> bytes:
    """The layer as a tar, by CPython's writer."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for item in layer:
            info = tarfile.TarInfo(item.path)
            info.type = _TYPES[item.kind]
            info.mode = item.mode or (0o755 if item.kind == DIRECTORY else 0o644)
            info.linkname = item.link
            info.size = len(item.content)
            tar.addfile(info, io.BytesIO(item.content))
    return buffer.getvalue()


def index_of(layer: Sequence[Item]) -> LayerIndex:
    """The index of the layer, uncompressed."""
    data = tar_of(layer)
    digest = Digest.of(data)
    scanner = Scanner(iter([memoryview(data)]), (), "layer")
    scanner.scan()
    wire = WireMap(array("Q", [0, len(data)]), array("Q", [0, len(data)]))
    return LayerIndex(digest, digest, len(data), len(data), "uncompressed", scanner.entries, wire, {})


def sha256(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()
