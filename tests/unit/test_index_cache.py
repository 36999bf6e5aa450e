"""The index cache: what comes back, what does not, and what is removed."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import time
from array import array
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from deadweight.layer import cache as module
from deadweight.layer.cache import IndexCache, default_folder
from deadweight.layer.entry import CHARACTER, DIRECTORY, FILE, HARD_LINK, SYMLINK, Entry
from deadweight.layer.index import LayerIndex, WireMap
from deadweight.layer.index_codec import NotDecodable, NotEncodable, decode, encode
from deadweight.oci.digest import Digest

SIGNATURE = "elf:1,python:3"


def index_of(name: str = "layer", files: int = 3) -> LayerIndex:
    digest = bytes(range(32))
    entries = [
        Entry("", DIRECTORY, 0, 0o755, 0, 0, 0, "", b"", 0),
        Entry("a/caf\udce9", FILE, 12, 0o4755, 1000, 1000, -5, "", digest, 512, (("user.x", b"\0\xff"),)),
        Entry("a/链接", SYMLINK, 0, 0o777, 0, 0, 1 << 40, "../etc", b"", 1536),
        Entry("a/hard", HARD_LINK, 0, 0o644, 0, 0, 0, "a/caf\udce9", b"", 2048),
        Entry("dev/console", CHARACTER, 0, 0o600, 0, 5, 0, "", b"", 2560, (), (5, 1)),
        *(
            Entry(f"usr/{n}", FILE, n, 0o644, 0, 0, 0, "", os.urandom(32), 3072 + 1024 * n)
            for n in range(files)
        ),
    ]
    return LayerIndex(
        digest=Digest.of(name.encode()),
        diff_id=Digest.of(b"tar of " + name.encode()),
        blob_size=4096,
        tar_size=10240,
        compression="gzip",
        entries=entries,
        wire=WireMap(array("Q", [0, 5000, 10240]), array("Q", [0, 100, 4096])),
        facts={"elf": {1: {"needed": ["libc.so.6"], "size": None}, 5: True}, "python": {}},
    )


@pytest.fixture
def cache(tmp_path: Path) -> IndexCache:
    return IndexCache(tmp_path)


def stored_files(folder: Path) -> list[Path]:
    return sorted((folder / "indexes").iterdir())


# What comes back


def test_an_index_comes_back_as_it_was(cache: IndexCache, tmp_path: Path) -> None:
    index = index_of()
    assert cache.get(index.digest, SIGNATURE) is None
    cache.put(index, SIGNATURE)
    assert cache.get(index.digest, SIGNATURE) == index
    assert IndexCache(tmp_path).get(index.digest, SIGNATURE) == index
    assert cache.problem == ""


def test_an_index_without_entries_comes_back(cache: IndexCache) -> None:
    wire = WireMap(array("Q", [0]), array("Q", [4096]))
    index = replace(index_of(), entries=[], facts={}, wire=wire)
    cache.put(index, SIGNATURE)
    assert cache.get(index.digest, SIGNATURE) == index


def test_the_bytes_of_an_index_are_the_same_each_time() -> None:
    index = index_of()
    assert encode(index) == encode(decode(encode(index)))


def test_other_collectors_are_another_index(cache: IndexCache) -> None:
    index = index_of()
    cache.put(index, SIGNATURE)
    assert cache.get(index.digest, "elf:2,python:3") is None
    assert cache.get(Digest.of(b"other"), SIGNATURE) is None
    assert cache.get(index.digest, SIGNATURE) == index


def test_another_format_or_version_is_another_index(
    cache: IndexCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = index_of()
    cache.put(index, SIGNATURE)
    for name, value in (("FORMAT", module.FORMAT + 1), ("__version__", "99")):
        with monkeypatch.context() as patch:
            patch.setattr(module, name, value)
            assert cache.get(index.digest, SIGNATURE) is None
    assert cache.get(index.digest, SIGNATURE) == index


def test_a_missing_layer_is_not_kept(cache: IndexCache, tmp_path: Path) -> None:
    cache.put(replace(index_of(), missing=True), SIGNATURE)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "change", [{"path": "a\0b"}, {"link": "a\0b"}, {"uid": 1 << 70}, {"mtime": -(1 << 64)}]
)
def test_what_cannot_be_encoded_is_not_kept(cache: IndexCache, change: dict[str, Any]) -> None:
    index = index_of()
    odd = replace(index, entries=[*index.entries, index.entries[0]._replace(**change)])
    with pytest.raises(NotEncodable):
        encode(odd)
    cache.put(odd, SIGNATURE)
    assert cache.get(odd.digest, SIGNATURE) is None
    assert cache.problem


# Damage


def test_a_changed_byte_is_absent_and_removed(cache: IndexCache, tmp_path: Path) -> None:
    index = index_of()
    cache.put(index, SIGNATURE)
    [path] = stored_files(tmp_path)
    whole = path.read_bytes()
    for position in range(len(whole)):
        path.write_bytes(whole[:position] + bytes([whole[position] ^ 0x10]) + whole[position + 1 :])
        assert cache.get(index.digest, SIGNATURE) is None
        assert not path.exists()
        assert "damaged" in cache.problem
    path.write_bytes(whole)
    assert cache.get(index.digest, SIGNATURE) == index


def test_a_cut_or_longer_file_is_absent_and_removed(cache: IndexCache, tmp_path: Path) -> None:
    index = index_of()
    cache.put(index, SIGNATURE)
    [path] = stored_files(tmp_path)
    whole = path.read_bytes()
    for damaged in [whole[:length] for length in range(0, len(whole), 7)] + [whole + b"\0", b"\x80\x04."]:
        path.write_bytes(damaged)
        assert cache.get(index.digest, SIGNATURE) is None
        assert not path.exists()


def test_a_file_under_the_name_of_another_is_absent(cache: IndexCache, tmp_path: Path) -> None:
    one, other = index_of("one"), index_of("other")
    cache.put(one, SIGNATURE)
    [first] = stored_files(tmp_path)
    cache.put(other, SIGNATURE)
    [second] = [path for path in stored_files(tmp_path) if path != first]
    second.write_bytes(first.read_bytes())
    assert cache.get(other.digest, SIGNATURE) is None
    assert cache.get(one.digest, SIGNATURE) == one


@pytest.mark.parametrize("data", [b"", b"\0" * 8, b"\xff" * 20, b"\x02\0\0\0\0\0\0\0{}", b"pickle"])
def test_decode_refuses_what_is_no_index(data: bytes) -> None:
    with pytest.raises(NotDecodable):
        decode(data)


def test_decode_refuses_every_cut() -> None:
    whole = encode(index_of())
    for length in range(len(whole)):
        with pytest.raises(NotDecodable):
            decode(whole[:length])


# The folder


def test_a_folder_that_cannot_be_made_is_no_cache(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    cache = IndexCache(tmp_path / "file" / "cache")
    cache.put(index_of(), SIGNATURE)
    assert "not a directory" in cache.problem.lower()
    assert cache.get(index_of().digest, SIGNATURE) is None


def test_without_a_folder_there_is_no_cache() -> None:
    cache = IndexCache(None)
    cache.put(index_of(), SIGNATURE)
    assert cache.get(index_of().digest, SIGNATURE) is None
    assert cache.problem


def test_links_pipes_and_folders_are_not_read(cache: IndexCache, tmp_path: Path) -> None:
    index = index_of()
    cache.put(index, SIGNATURE)
    [path] = stored_files(tmp_path)
    aside = path.rename(tmp_path / "aside")
    makers: list[Callable[[], None]] = [
        lambda: path.symlink_to(aside),
        lambda: os.mkfifo(path),
        lambda: path.mkdir(),
    ]
    for make in makers:
        make()
        assert cache.get(index.digest, SIGNATURE) is None
        assert cache.problem
        path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()


def test_the_file_of_another_user_is_not_read(
    cache: IndexCache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = index_of()
    cache.put(index, SIGNATURE)
    somebody = os.geteuid() + 1
    monkeypatch.setattr(os, "geteuid", lambda: somebody)
    assert cache.get(index.digest, SIGNATURE) is None
    assert "no file of this user" in cache.problem
    assert stored_files(tmp_path)


def test_only_the_user_may_enter_the_folder(cache: IndexCache, tmp_path: Path) -> None:
    cache.put(index_of(), SIGNATURE)
    assert stat.S_IMODE((tmp_path / "indexes").stat().st_mode) == 0o700


def test_default_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", "/var/cache/me")
    assert default_folder() == Path("/var/cache/me/deadweight")
    for relative in ("", "cache", "./cache"):
        monkeypatch.setenv("XDG_CACHE_HOME", relative)
        assert default_folder() == tmp_path / ".cache" / "deadweight"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert default_folder() == tmp_path / ".cache" / "deadweight"


# Bounds


def test_the_least_recently_used_go_first(tmp_path: Path) -> None:
    cache = IndexCache(tmp_path, max_entries=3)
    indexes = [index_of(f"layer {number}") for number in range(4)]
    for age, index in enumerate(indexes[:3]):
        cache.put(index, SIGNATURE)
        newest = max(stored_files(tmp_path), key=lambda path: path.stat().st_mtime_ns)
        os.utime(newest, (time.time() - 1000 + age, time.time() - 1000 + age))
    assert cache.get(indexes[0].digest, SIGNATURE)  # used again, so the second is the oldest now
    cache.put(indexes[3], SIGNATURE)
    assert [cache.get(index.digest, SIGNATURE) is not None for index in indexes] == [True, False, True, True]


def test_the_bytes_are_bounded(tmp_path: Path) -> None:
    one = IndexCache(tmp_path)
    one.put(index_of("first", files=300), SIGNATURE)
    size = stored_files(tmp_path)[0].stat().st_size
    cache = IndexCache(tmp_path, max_bytes=3 * size + size // 2)
    for number in range(8):
        cache.put(index_of(f"layer {number}", files=300), SIGNATURE)
        assert sum(path.stat().st_size for path in stored_files(tmp_path)) <= 3 * size + size // 2
    assert len(stored_files(tmp_path)) == 3


def test_what_a_killed_writer_left_goes(cache: IndexCache, tmp_path: Path) -> None:
    cache.put(index_of("first"), SIGNATURE)
    old, new = (tmp_path / "indexes" / f".{name}.writing" for name in ("old", "new"))
    for path in (old, new):
        path.write_bytes(b"half")
    os.utime(old, (time.time() - 7200, time.time() - 7200))
    cache.put(index_of("second"), SIGNATURE)
    assert not old.exists()
    assert new.exists()


_WRITER = """
import sys
from pathlib import Path
from deadweight.layer.cache import IndexCache
from deadweight.layer.index_codec import decode, encode

cache = IndexCache(Path(sys.argv[1]), max_entries=2)
indexes = [decode(Path(path).read_bytes()) for path in sys.argv[2:]]
found = 0
for turn in range(60):
    for index in indexes:
        cached = cache.get(index.digest, "s")
        assert cached is None or encode(cached) == encode(index)
        found += cached is not None
        cache.put(index, "s")
assert "damaged" not in cache.problem, cache.problem
print(found)
"""


def test_many_processes_may_use_it(tmp_path: Path) -> None:
    paths = []
    for number in range(3):
        path = tmp_path / str(number)
        path.write_bytes(encode(index_of(f"layer {number}", files=200)))
        paths.append(str(path))
    command = [sys.executable, "-c", _WRITER, str(tmp_path / "cache"), *paths]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    outputs = [process.communicate()[0] for process in running]
    assert [process.returncode for process in running] == [0] * 4
    assert sum(map(int, outputs)) > 0
    assert not [path for path in stored_files(tmp_path / "cache") if path.suffix != ".index"]
