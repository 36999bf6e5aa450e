from __future__ import annotations

import os
from pathlib import Path

import pytest

from deadweight.errors import LimitExceeded, NotFound, TransportError, Unsupported
from deadweight.oci.strict_json import MAX_DOCUMENT
from deadweight.transport.files import Folder, RangeFile, open_range, os_errors, pieces


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    (tmp_path / "file").write_bytes(bytes(range(200)))
    return Folder(tmp_path)


def test_a_range_shows_its_bytes_only(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(bytes(range(200)))
    with open_range(os.open(tmp_path / "file", os.O_RDONLY), 10, 20, "file") as stream:
        assert stream.read(5) == bytes(range(10, 15))
        buffer = bytearray(100)
        assert stream.readinto(buffer) == 15  # type: ignore[attr-defined]
        assert buffer[:15] == bytes(range(15, 30))
        assert stream.read(5) == b""
        assert stream.readinto(buffer) == 0  # type: ignore[attr-defined]


def test_ranges_of_one_file_have_their_own_positions(folder: Folder) -> None:
    with folder.open("file") as first, folder.open("file") as second:
        first.read(100)
        assert second.read() == bytes(range(200))
        assert first.read() == bytes(range(100, 200))


def test_a_range_closes_its_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    descriptor = os.open(tmp_path / "file", os.O_RDONLY)
    stream = RangeFile(descriptor, 0, 1, "file")
    stream.close()
    stream.close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)


def test_a_range_that_cannot_be_read_says_of_what(tmp_path: Path) -> None:
    stream = RangeFile(os.open(tmp_path, os.O_RDONLY), 0, 10, "layer 7")
    with stream, pytest.raises(TransportError, match="layer 7: is a directory"):
        stream.read(10)


def test_pieces_are_the_whole_stream(tmp_path: Path) -> None:
    (tmp_path / "big").write_bytes(b"x" * (5 << 19))
    with Folder(tmp_path).open("big") as stream:
        assert [len(piece) for piece in pieces(stream)] == [1 << 20, 1 << 20, 1 << 19]


def test_folder(folder: Folder, tmp_path: Path) -> None:
    assert folder.has("file")
    assert not folder.has("other")
    assert folder.size("file") == 200
    assert folder.read("file") == bytes(range(200))
    with pytest.raises(NotFound, match="other: does not exist"):
        folder.open("other")
    with pytest.raises(NotFound, match="other: does not exist"):
        folder.size("file/other")


def test_a_fifo_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(Unsupported, match="is no regular file"):
        Folder(tmp_path).open("fifo")


def test_a_document_over_the_limit_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "huge").open("wb") as file:
        file.truncate(MAX_DOCUMENT + 1)
    with pytest.raises(LimitExceeded, match="more than a document may have"):
        Folder(tmp_path).read("huge")


def test_errors_of_the_system_become_ours() -> None:
    with pytest.raises(TransportError, match=r"^/x: permission denied$"), os_errors("/x"):
        raise PermissionError(13, "Permission denied")
