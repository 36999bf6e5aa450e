"""Named files, in a folder or an archive: what local sources read from."""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Protocol, Self, cast

from deadweight.errors import LimitExceeded, NotFound, TransportError, Unsupported
from deadweight.oci.strict_json import MAX_DOCUMENT


class Files(Protocol):
    """Files by name. Names use ``/``; what they come from (`subject`) is for messages."""

    @property
    def subject(self) -> str: ...

    def has(self, name: str) -> bool: ...

    def size(self, name: str) -> int:
        """In bytes. Raises `NotFound`."""

    def open(self, name: str) -> BinaryIO:
        """The file from its start; stays readable after `close`. Raises `NotFound`."""

    def read(self, name: str) -> bytes:
        """A small document, whole. Raises `NotFound`, and `LimitExceeded` over `MAX_DOCUMENT` bytes."""

    def close(self) -> None: ...


class RangeFile(io.RawIOBase):
    """`length` bytes at `offset` of an open file, with a position of its own. Owns `descriptor`."""

    def __init__(self, descriptor: int, offset: int, length: int, subject: str) -> None:
        self._descriptor = descriptor
        self._position = offset
        self._end = offset + length
        self._subject = subject

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview | bytearray) -> int:  # type: ignore[override]
        view = memoryview(buffer).cast("B")[: self._end - self._position]
        with os_errors(self._subject):
            count = os.preadv(self._descriptor, [view], self._position) if view else 0
        self._position += count
        return count

    def read(self, size: int | None = -1) -> bytes:
        if size is None or size < 0:
            return self.readall()
        with os_errors(self._subject):
            data = os.pread(self._descriptor, min(size, self._end - self._position), self._position)
        self._position += len(data)
        return data

    def close(self) -> None:
        if not self.closed:
            os.close(self._descriptor)
        super().close()


def open_range(descriptor: int, offset: int, length: int, subject: str) -> BinaryIO:
    """A `RangeFile`, which has all of `BinaryIO` that a reader of blobs needs, but not its type."""
    return cast("BinaryIO", RangeFile(descriptor, offset, length, subject))


ReadAt = Callable[[int, int], bytes]
"""Offset and length -> the bytes there, fewer at the end."""


def reader_at(descriptor: int, subject: str) -> ReadAt:
    """Reads the open file `descriptor`, wherever it is asked to."""

    def read_at(offset: int, length: int) -> bytes:
        with os_errors(subject):
            return os.pread(descriptor, length, offset)

    return read_at


def pieces(stream: BinaryIO) -> Iterator[bytes]:
    """What is left of `stream`, a mebibyte at a time."""
    while piece := stream.read(1 << 20):
        yield piece


class Folder:
    """The files under a folder. Symbolic links are followed: whatever they lead to is checked by its digest."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @classmethod
    def at(cls, path: Path) -> Self:
        """The folder `path`. Raises `NotFound` where there is none."""
        with reading(str(path)):
            if not stat.S_ISDIR(path.stat().st_mode):
                raise NotFound(str(path), "is no folder")
        return cls(path)

    @property
    def subject(self) -> str:
        return str(self._path)

    def has(self, name: str) -> bool:
        with os_errors(str(self._path)):
            return (self._path / name).is_file()

    def size(self, name: str) -> int:
        with reading(f"{self._path / name}"):
            return (self._path / name).stat().st_size

    def open(self, name: str) -> BinaryIO:
        descriptor, size = open_regular(self._path / name)
        return open_range(descriptor, 0, size, f"{self._path / name}")

    def read(self, name: str) -> bytes:
        return read_document(self, name)

    def close(self) -> None:
        pass


def read_document(files: Files, name: str) -> bytes:
    """The file `name` of `files`, if it is no larger than a document may be."""
    size = files.size(name)
    if size > MAX_DOCUMENT:
        raise LimitExceeded(
            f"{files.subject}: {name}", f"{size} bytes are more than a document may have ({MAX_DOCUMENT})"
        )
    with files.open(name) as file:
        return file.read(size)


def open_regular(path: Path) -> tuple[int, int]:
    """A descriptor of the regular file at `path`, and its size. Never blocks, as a FIFO would.

    Raises `NotFound`, `TransportError`, and `Unsupported` for what is no regular file.
    """
    with reading(str(path)):
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        os.close(descriptor)
        raise Unsupported(str(path), "is no regular file", "deadweight reads files that it can seek in")
    return descriptor, status.st_size


@contextmanager
def reading(subject: str) -> Iterator[None]:
    """Turns what the operating system reports about `subject` into `NotFound` or `TransportError`."""
    with os_errors(subject):
        try:
            yield
        except (FileNotFoundError, NotADirectoryError):
            raise NotFound(subject, "does not exist") from None


@contextmanager
def os_errors(subject: str) -> Iterator[None]:
    """Turns what the operating system reports about `subject` into `TransportError`."""
    try:
        yield
    except OSError as error:
        raise TransportError(subject, (error.strerror or str(error)).lower()) from None
