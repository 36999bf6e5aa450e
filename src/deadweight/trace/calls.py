"""The system calls that look up paths, start processes or move them: which of their arguments say what.

Calls that only work on what is open already, as read(2) does, say nothing about paths. io_uring would do the same things
without a call for each: it has to be refused while one traces.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum


class Shape(Enum):
    """Where the paths are among the arguments. A place is a directory's descriptor and a path from there."""

    PATH = "a path first"
    PLACE = "a place first"
    DESCRIPTOR = "a descriptor first"
    DESCRIPTOR_PATH = "a descriptor that is no directory, then a path"
    MARK = "a place behind three others, as fanotify_mark(2) has it"
    PATHS = "two paths"
    PLACES = "two places"
    TEXT_PATH = "a text and a path"
    TEXT_PLACE = "a text and a place"
    ADDRESS = "a descriptor and a socket's address"
    FLAGS = "flags"


class Does(Enum):
    """What a call does with what it finds."""

    LOOK = "look at it"
    OPEN = "open it"
    EXECUTE = "become it"
    LIST = "list it"
    ENTER = "make it the working directory"
    CHANGE_ROOT = "make it the root"
    MAKE = "make it"
    MAKE_LINK = "make it a symbolic link"
    REMOVE = "remove it"
    RENAME = "give it another name"
    LINK = "give it one more name"
    FORK = "start a process or a thread"
    UNSHARE = "stop sharing"


@dataclass(frozen=True, slots=True)
class Kind:
    """One system call. `follows`: whether a symbolic link in the last part of the path is followed, if no flag says else."""

    name: str
    shape: Shape
    does: Does
    follows: bool = True


def _kinds() -> Iterator[Kind]:
    def each(names: str, shape: Shape, does: Does, *, follows: bool = True) -> Iterator[Kind]:
        return (Kind(name, shape, does, follows) for name in names.split())

    yield from each("open creat", Shape.PATH, Does.OPEN)
    yield from each("openat openat2", Shape.PLACE, Does.OPEN)
    yield from each("execve", Shape.PATH, Does.EXECUTE)
    yield from each("execveat", Shape.PLACE, Does.EXECUTE)
    yield from each(
        "stat stat64 oldstat access statfs statfs64 truncate truncate64 utime utimes chmod chown chown32 uselib "
        "getxattr setxattr listxattr removexattr",
        Shape.PATH,
        Does.LOOK,
    )
    yield from each(
        "lstat lstat64 oldlstat readlink lchown lchown32 lgetxattr lsetxattr llistxattr lremovexattr",
        Shape.PATH,
        Does.LOOK,
        follows=False,
    )
    yield from each(
        "newfstatat fstatat64 statx faccessat faccessat2 utimensat utimensat_time64 futimesat fchmodat fchmodat2 "
        "fchownat getxattrat setxattrat listxattrat removexattrat",
        Shape.PLACE,
        Does.LOOK,
    )
    yield from each("readlinkat name_to_handle_at", Shape.PLACE, Does.LOOK, follows=False)
    yield from each("inotify_add_watch", Shape.DESCRIPTOR_PATH, Does.LOOK)
    yield from each("fanotify_mark", Shape.MARK, Does.LOOK)
    yield from each("connect", Shape.ADDRESS, Does.LOOK)
    yield from each("bind", Shape.ADDRESS, Does.MAKE, follows=False)
    yield from each("getdents getdents64", Shape.DESCRIPTOR, Does.LIST)
    yield from each("chdir", Shape.PATH, Does.ENTER)
    yield from each("fchdir", Shape.DESCRIPTOR, Does.ENTER)
    yield from each("chroot", Shape.PATH, Does.CHANGE_ROOT)
    yield from each("mkdir mknod", Shape.PATH, Does.MAKE, follows=False)
    yield from each("mkdirat mknodat", Shape.PLACE, Does.MAKE, follows=False)
    yield from each("symlink", Shape.TEXT_PATH, Does.MAKE_LINK, follows=False)
    yield from each("symlinkat", Shape.TEXT_PLACE, Does.MAKE_LINK, follows=False)
    yield from each("unlink rmdir", Shape.PATH, Does.REMOVE, follows=False)
    yield from each("unlinkat", Shape.PLACE, Does.REMOVE, follows=False)
    yield from each("rename", Shape.PATHS, Does.RENAME, follows=False)
    yield from each("renameat renameat2", Shape.PLACES, Does.RENAME, follows=False)
    yield from each("link", Shape.PATHS, Does.LINK, follows=False)
    yield from each("linkat", Shape.PLACES, Does.LINK, follows=False)
    yield from each("fork vfork clone clone2 clone3", Shape.FLAGS, Does.FORK)
    yield from each("unshare", Shape.FLAGS, Does.UNSHARE)


KINDS: Mapping[str, Kind] = {kind.name: kind for kind in _kinds()}
"""Name -> kind. Some names are those of other architectures."""

REFUSED = ("io_uring_setup", "io_uring_enter", "io_uring_register")
"""Calls that must fail, since what they do is not seen."""
