"""Writing aside: what is written appears under its name whole, or not at all.

Files and folders being written are called ``.deadweight-<12 hex digits>.tmp``, lie in the same file system as their
destination, and are locked (flock) by their writer. What a killed writer left behind is known by its free lock, on
whatever host or in whatever container it ran, and is removed by the next writer in the same folder.
"""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from deadweight.errors import NotFound, TransportError, Unsupported
from deadweight.transport.files import os_errors

_NAME = re.compile(r"\.deadweight-[0-9a-f]{12}\.tmp")
_ATTEMPTS = 100


def is_staged(name: str) -> bool:
    """Whether `name` is that of something being written, or abandoned."""
    return bool(_NAME.fullmatch(name))


class StagedFile:
    """A file that replaces `target` when it is published. `file` can be written, read and seeked.

    Raises `NotFound` where the folder of `target` is missing, and `Unsupported` where `target` is a device, a folder
    or the like.
    """

    file: BinaryIO

    def __init__(self, target: Path) -> None:
        with os_errors(str(target)):
            self._target = target.resolve()  # through a link the file is replaced, not the link
            _require_folder(self._target.parent)
            if self._target.exists() and not self._target.is_file():
                raise Unsupported(str(target), "is no regular file, and is not replaced")
            remove_abandoned(self._target.parent)
            self._path, descriptor = _locked(self._target.parent, _new_file)
        self.file = open(descriptor, "w+b")  # noqa: PTH123, SIM115

    def publish(self) -> None:
        """Gives the file its name, after all of it is on the disk."""
        with os_errors(str(self._target)):
            self.file.flush()
            os.fsync(self.file.fileno())
            self._path.rename(self._target)
            sync_folder(self._target.parent)
        self.file.close()

    def discard(self) -> None:
        """Removes the file, unless it was published."""
        if not self.file.closed:
            with os_errors(str(self._target)):
                self._path.unlink(missing_ok=True)
            with suppress(OSError):  # of a full disk, which shall not take the rest
                self.file.close()


class StagedFolder:
    """Files that appear in the folder `target` together: one of them, written last, makes the others visible.

    A `target` that is not there is built aside and renamed. Into one that is, the files are moved, each whole, and the
    last at the end.
    """

    def __init__(self, target: Path) -> None:
        with os_errors(str(target)):
            self._target = target.resolve()
            self._new = not self._target.exists()
            folder = self._target.parent if self._new else self._target
            _require_folder(folder)
            remove_abandoned(folder)
            self._path, self._lock = _locked(folder, _new_folder)

    @property
    def new(self) -> bool:
        """Whether the target is not there. It may be made by another writer after writing began."""
        return self._new and not self._target.exists()

    @property
    def path(self) -> Path:
        """Where to write: names below it are those below the target."""
        return self._path

    @contextmanager
    def file(self, name: str) -> Iterator[BinaryIO]:
        """A new file called `name`; on the disk when the block is left, removed if that was by an error."""
        path = self._path / name
        with os_errors(str(self._target)):
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                with path.open("wb") as file:
                    yield file
                    file.flush()
                    os.fsync(file.fileno())
            except BaseException:
                path.unlink(missing_ok=True)
                raise

    def write(self, name: str, data: bytes) -> None:
        """A file `name` of `data`."""
        with self.file(name) as file:
            file.write(data)

    def rename(self, name: str, to: str) -> None:
        """Gives the file `name` its final name."""
        with os_errors(str(self._target)):
            (self._path / to).parent.mkdir(parents=True, exist_ok=True)
            (self._path / name).rename(self._path / to)

    def publish(self, last: str) -> frozenset[str]:
        """Makes all files visible, `last` at the end, and returns their names. On an error the target stays as it was."""
        with os_errors(str(self._target)):
            names = sorted(
                str(path.relative_to(self._path)) for path in self._path.rglob("*") if path.is_file()
            )
            for folder in {(self._path / name).parent for name in names} | {self._path}:
                sync_folder(folder)
            if self.new:
                self._path.rename(self._target)
                sync_folder(self._target.parent)
                self._unlock()  # it is the target's now, which the next writer will lock
            else:
                self._move([name for name in names if name != last], last)
        return frozenset(names)

    def discard(self) -> None:
        """Removes what was not published."""
        if self._lock < 0:
            return
        try:
            with os_errors(str(self._target)):
                _remove(self._path)
        finally:
            self._unlock()

    def _unlock(self) -> None:
        os.close(self._lock)
        self._lock = -1

    def _move(self, names: list[str], last: str) -> None:
        added: list[Path] = []
        try:
            for name in names:
                place = self._target / name
                if not place.exists():
                    added.append(place)
                place.parent.mkdir(parents=True, exist_ok=True)
                (self._path / name).rename(place)
            for folder in {(self._target / name).parent for name in names}:
                sync_folder(folder)
        except BaseException:
            for path in added:
                path.unlink(missing_ok=True)
            raise
        (self._path / last).rename(self._target / last)
        sync_folder(self._target)


@contextmanager
def folder_lock(folder: Path) -> Iterator[None]:
    """Keeps other writers of the same folder out while its list of contents is read, changed and written."""
    with os_errors(str(folder)):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            with suppress(OSError):  # a file system without locks: as good as it gets
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


def remove_abandoned(folder: Path) -> None:
    """Removes from `folder` what killed writers left."""
    with os_errors(str(folder)), os.scandir(folder) as entries:
        names = [entry.name for entry in entries if is_staged(entry.name)]
    for name in names:
        with suppress(OSError):  # it went away, or is not ours to remove
            descriptor = os.open(folder / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                _remove(folder / name)
            finally:
                os.close(descriptor)


def sync_folder(folder: Path) -> None:
    """Puts the names in `folder` on the disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _new_file(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)


def _new_folder(path: Path) -> int:
    path.mkdir()
    return os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)


def _locked(folder: Path, make: Callable[[Path], int]) -> tuple[Path, int]:
    """Something new in `folder`, and a descriptor that holds its lock."""
    for _ in range(_ATTEMPTS):
        path = folder / f".deadweight-{os.urandom(6).hex()}.tmp"
        with suppress(FileNotFoundError):  # taken for abandoned between its making and its locking
            descriptor = make(path)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(descriptor)
                continue
            except OSError:
                pass  # a file system without locks: nobody can take it for abandoned there
            if path.exists():
                return path, descriptor
            os.close(descriptor)
    raise TransportError(str(folder), "no temporary file could be made", "is the folder being removed?")


def _require_folder(folder: Path) -> None:
    if not folder.is_dir():
        problem = "is no folder" if folder.exists() else "does not exist"
        raise NotFound(str(folder), problem, "make the folder first")


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        import shutil  # rare, and not cheap to import

        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
