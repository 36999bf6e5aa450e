"""What the tar writer writes, Python's tarfile and our own reader read."""

from __future__ import annotations

import io
import tarfile

from hypothesis import given
from hypothesis import strategies as st

from deadweight.layer.entry import BLOCK, CHARACTER, DIRECTORY, FIFO, FILE, HARD_LINK, SYMLINK, Entry
from deadweight.layer.scanner import Scanner
from deadweight.transport.tar_writer import END, header, padding

NAMES = st.text("ab.- =\n\\é界\udcff", min_size=1, max_size=80).filter(
    lambda name: name not in (".", "..") and len(name.encode("utf-8", "surrogateescape")) <= 255
)
PATHS = st.lists(NAMES, min_size=1, max_size=8).map("/".join)
NUMBERS = st.integers(0, (1 << 32) - 1)
XATTRS = st.dictionaries(
    st.sampled_from(["user.a", "user.b.c", "security.capability", "trusted.é"]),
    st.binary(max_size=300),
    max_size=3,
)
KINDS = st.sampled_from([FILE, DIRECTORY, SYMLINK, HARD_LINK, CHARACTER, BLOCK, FIFO])


@st.composite
def entries(draw: st.DrawFn) -> tuple[Entry, bytes]:
    """An entry and its content."""
    kind = draw(KINDS)
    content = draw(st.binary(max_size=1100)) if kind == FILE else b""
    device = (
        (draw(st.integers(0, 1 << 20)), draw(st.integers(0, 1 << 20)))
        if kind in (CHARACTER, BLOCK)
        else (0, 0)
    )
    entry = Entry(
        path=draw(PATHS),
        kind=kind,
        size=len(content),
        mode=draw(st.integers(0, 0o7777)),
        uid=draw(NUMBERS),
        gid=draw(NUMBERS),
        mtime=draw(st.integers(-(1 << 40), 1 << 40)),
        link=draw(PATHS) if kind in (SYMLINK, HARD_LINK) else "",
        digest=b"",
        start=0,
        xattrs=tuple(sorted(draw(XATTRS).items())),
        device=device,
    )
    return entry, content


@given(st.lists(entries(), max_size=5))
def test_round_trip(written: list[tuple[Entry, bytes]]) -> None:
    data = b"".join(header(entry) + content + padding(entry.size) for entry, content in written) + END

    scanner = Scanner(iter([memoryview(data)]), (), "layer")
    scanner.scan()
    ours = [entry._replace(digest=b"", start=0) for entry in scanner.entries]
    assert ours == [entry for entry, _ in written]

    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        theirs = archive.getmembers()
    for info, (entry, content) in zip(theirs, written, strict=True):
        assert (info.name, info.mode, info.uid, info.gid) == (entry.path, entry.mode, entry.uid, entry.gid)
        assert (info.mtime, info.linkname, info.size) == (entry.mtime, entry.link, entry.size)
        assert data[info.offset_data :][: info.size] == content
        assert len(info.pax_headers.keys() & {f"SCHILY.xattr.{name}" for name, _ in entry.xattrs}) == len(
            entry.xattrs
        )
