from __future__ import annotations

import gzip
import os
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import pytest

from archive_samples import link, tar_of
from deadweight.errors import InvalidDocument, InvalidLayer, LimitExceeded, NotFound
from deadweight.layer import stored as stored_layer
from deadweight.transport import tar_files
from deadweight.transport.tar_files import TarFiles
from services.images import zstd_frame

Opener: TypeAlias = Callable[[bytes], TarFiles]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Opener]:
    files: list[TarFiles] = []

    def open_archive(data: bytes) -> TarFiles:
        (tmp_path / "x.tar").write_bytes(data)
        files.append(TarFiles.at(tmp_path / "x.tar"))
        return files[-1]

    yield open_archive
    for file in files:
        file.close()


@pytest.mark.parametrize("pack", [bytes, lambda data: gzip.compress(data, mtime=0), zstd_frame])
def test_members_of_a_plain_or_compressed_archive(opened: Opener, pack: Callable[[bytes], bytes]) -> None:
    files = opened(pack(tar_of({"a": b"one", "b/c": b"two"})))
    assert files.has("b/c")
    assert not files.has("b")
    assert files.size("a") == 3
    assert files.read("b/c") == b"two"
    with pytest.raises(NotFound, match="holds no 'd'"):
        files.open("d")


def test_an_open_member_outlives_the_archive(opened: Opener) -> None:
    files = opened(tar_of({"a": b"one"}))
    with files.open("a") as stream:
        files.close()
        assert stream.read() == b"one"


def test_nothing_is_left_of_a_compressed_archive(
    opened: Opener, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    opened(gzip.compress(tar_of({"a": b"one"})))
    assert not list((tmp_path / "temporary").iterdir())


def test_an_archive_that_would_fill_the_disk_is_refused(
    opened: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tar_files, "FREE_SHARE", 0.0)
    with pytest.raises(LimitExceeded, match="expands to more than 0 bytes"):
        opened(gzip.compress(tar_of({"a": b"one"})))


def test_a_bomb_is_refused(opened: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored_layer, "MIN_TAR_LIMIT", 1 << 20)
    with pytest.raises(LimitExceeded, match="it may be a bomb"):
        opened(gzip.compress(tar_of({"a": bytes(4 << 20)})))


def test_a_truncated_compressed_archive_is_refused(opened: Opener) -> None:
    with pytest.raises(InvalidLayer, match="truncated"):
        opened(gzip.compress(tar_of({"a": os.urandom(4096)}))[:-2000])


def test_links_are_followed_inside_the_archive(opened: Opener) -> None:
    members = [
        link("x/layer.tar", "../y/layer.tar"),
        link("y/layer.tar", "z/layer.tar", hard=True),
        (tarfile.TarInfo("z/layer.tar"), b"content"),
    ]
    assert opened(tar_of(members)).read("x/layer.tar") == b"content"


@pytest.mark.parametrize("target", ["../../etc/passwd", "/etc/passwd", ".."])
def test_links_out_of_the_archive_are_refused(opened: Opener, target: str) -> None:
    with pytest.raises((InvalidDocument, NotFound)):
        opened(tar_of([link("x/layer.tar", target)])).open("x/layer.tar")


def test_loops_of_links_end(opened: Opener) -> None:
    with pytest.raises(InvalidDocument, match="leads through more than"):
        opened(tar_of([link("a", "b"), link("b", "a")])).size("a")


def test_a_folder_is_no_file(opened: Opener) -> None:
    folder = tarfile.TarInfo("a")
    folder.type = tarfile.DIRTYPE
    with pytest.raises(InvalidDocument, match="'a' is no file"):
        opened(tar_of([(folder, b"")])).open("a")


def test_a_document_that_is_there_twice_is_refused(opened: Opener) -> None:
    files = opened(tar_of([(tarfile.TarInfo("a"), b"x"), (tarfile.TarInfo("a"), b"y")]))
    with pytest.raises(InvalidDocument, match="holds 'a' more than once"):
        files.read("a")
    assert files.size("a") == 1


def test_a_member_that_is_cut_off_is_refused(opened: Opener) -> None:
    with pytest.raises(InvalidDocument, match=r"is cut off: 'a' should go on to byte 5512"):
        opened(tar_of({"a": b"x" * 5000})[:3000])


def test_too_many_members_are_refused(opened: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tar_files, "MAX_MEMBERS", 2)
    with pytest.raises(LimitExceeded, match="more than 2 members"):
        opened(tar_of({"a": b"", "b": b"", "c": b""}))


def test_no_descriptor_leaks(opened: Opener) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    for data in (b"no tar at all", gzip.compress(b"neither"), gzip.compress(b"x")[:-3]):
        with pytest.raises((InvalidDocument, InvalidLayer)):
            opened(data)
    opened(gzip.compress(tar_of({"a": b""}))).close()
    assert len(list(Path("/proc/self/fd").iterdir())) == before
