"""Layer indexes kept from one run to the next, so that a layer is inflated once.

A cached index says what is in the blob of a digest; it says nothing about the bytes at hand. Use it only for a blob
whose digest was verified in this run, or by a content store that verified it (`Traits.verified`).
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import time
from contextlib import suppress
from pathlib import Path

from backports import zstd

from deadweight._version import __version__
from deadweight.layer.index import LayerIndex
from deadweight.layer.index_codec import NotDecodable, NotEncodable, decode, encode
from deadweight.oci.digest import Digest

FORMAT = 2
"""To be raised when indexes are encoded, or layers indexed, in another way."""
MAX_BYTES = 512 << 20
"""What all cached indexes may take on the disk. One of 50,000 files takes about 3 MB."""
MAX_ENTRIES = 4096
MAX_INDEX = 512 << 20
"""The most bytes of one index, not compressed. A larger one is not kept."""

_MAGIC = b"deadweight index\n"
_SUFFIX = ".index"
_WRITING = ".writing"
_ABANDONED = 3600
"""After how many seconds a file that is still being written is none any more."""


def default_folder() -> Path | None:
    """Where caches of the user belong (XDG Base Directory Specification 0.8); None for a user without a home."""
    stated = os.environ.get("XDG_CACHE_HOME", "")
    if Path(stated).is_absolute():
        return Path(stated) / "deadweight"
    try:
        return Path.home() / ".cache" / "deadweight"
    except RuntimeError:
        return None


class IndexCache:
    """Indexes in the files of a folder, the least recently used ones removed when they become too many.

    Any number of processes may use one folder: files are written aside and renamed, and never changed. A file that is
    damaged, or somebody else's, counts as absent. Nothing here raises for what is wrong with the folder: `problem` tells.
    """

    def __init__(
        self, folder: Path | None, max_bytes: int = MAX_BYTES, max_entries: int = MAX_ENTRIES
    ) -> None:
        self._folder = folder
        self._max_bytes = max_bytes
        self._max_entries = max_entries
        self.problem = "" if folder else "there is no home directory"
        """Why indexes were not kept or not found, for the curious; empty if all is well."""

    def get(self, digest: Digest, signature: str) -> LayerIndex | None:
        """The index of the layer with `digest` for the collectors of `signature` (`collect.signature`), if it is there."""
        path = self._path(digest, signature)
        if path is None:
            return None
        try:
            stored = _read_own(path)
        except FileNotFoundError:
            return None
        except OSError as error:
            self._note(path, error.strerror or str(error))
            return None
        try:
            index = _opened(stored, digest, signature)
        except NotDecodable as error:
            self._note(path, str(error))
            with suppress(OSError):
                path.unlink()
            return None
        with suppress(OSError):
            os.utime(path)
        return index

    def put(self, index: LayerIndex, signature: str) -> None:
        """Keeps `index`; one that cannot be encoded, or is too large, is not kept."""
        path = self._path(index.digest, signature)
        if path is None or index.missing:
            return
        try:
            stored = _sealed(index, signature)
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            _write(path, stored)
            self._evict(path.parent)
        except NotEncodable as error:
            self._note(path, str(error))
        except OSError as error:
            self._note(path.parent, error.strerror or str(error))

    def _path(self, digest: Digest, signature: str) -> Path | None:
        if self._folder is None:
            return None
        key = hashlib.sha256(_head(digest, signature)).hexdigest()
        return self._folder / "indexes" / f"{key}{_SUFFIX}"

    def _evict(self, folder: Path) -> None:
        """Removes what was used longest ago, until the rest is within the limits; and what killed writers left."""
        kept: list[tuple[float, int, str]] = []
        with os.scandir(folder) as files:
            for file in files:
                with suppress(FileNotFoundError):
                    status = file.stat(follow_symlinks=False)
                    if file.name.endswith(_SUFFIX):
                        kept.append((status.st_mtime, status.st_size, file.path))
                    elif file.name.endswith(_WRITING) and time.time() - status.st_mtime > _ABANDONED:
                        Path(file.path).unlink(missing_ok=True)
        total = sum(size for _, size, _ in kept)
        for number, (_, size, path) in enumerate(sorted(kept)):
            if total <= self._max_bytes and len(kept) - number <= self._max_entries:
                return
            Path(path).unlink(missing_ok=True)
            total -= size

    def _note(self, path: Path, problem: str) -> None:
        self.problem = f"{path}: {problem}"


def _head(digest: Digest, signature: str) -> bytes:
    """What an index is for. Another version of deadweight may index otherwise."""
    return f"{FORMAT}\n{__version__}\n{digest}\n{signature}\n".encode()


def _sealed(index: LayerIndex, signature: str) -> bytes:
    data = encode(index)
    if len(data) > MAX_INDEX:
        raise NotEncodable(f"has {len(data)} bytes, more than {MAX_INDEX}")
    body = zstd.compress(data, 1)
    return _MAGIC + _seal(body, index.digest, signature) + body


def _opened(stored: bytes, digest: Digest, signature: str) -> LayerIndex:
    """The index in a file. Raises `NotDecodable` unless it is what was written for this digest and signature."""
    start = len(_MAGIC) + hashlib.sha256().digest_size
    body = stored[start:]
    if stored[:start] != _MAGIC + _seal(body, digest, signature):
        raise NotDecodable("is damaged")
    index = decode(zstd.decompress(body))
    if index.digest != digest:
        raise NotDecodable("is that of another layer")
    return index


def _seal(body: bytes, digest: Digest, signature: str) -> bytes:
    return hashlib.sha256(_head(digest, signature) + body).digest()


def _read_own(path: Path) -> bytes:
    """The file at `path`. Raises `OSError` for one of another user, who could have put anything into it."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_uid != os.geteuid():
            raise PermissionError(errno.EPERM, "is no file of this user")
        if status.st_size > MAX_INDEX:
            raise OSError(errno.EFBIG, "is too large")
        with open(descriptor, "rb", closefd=False) as file:
            return file.read(MAX_INDEX)
    finally:
        os.close(descriptor)


def _write(path: Path, data: bytes) -> None:
    """Makes the file at `path` whole, in place of the one that may be there."""
    aside = path.with_name(f".{os.urandom(8).hex()}{_WRITING}")
    try:
        with aside.open("xb") as file:
            file.write(data)
        aside.replace(path)
    except BaseException:
        with suppress(OSError):
            aside.unlink()
        raise
