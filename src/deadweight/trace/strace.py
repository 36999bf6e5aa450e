"""What strace(1) writes, read line by line: the system calls of `calls.KINDS` and the ends of processes.

Texts are quoted as in C, descriptors are followed by their paths in angle brackets (in which those are escaped), and a call
during which another process spoke is in two lines. A file may have any name: nothing is looked for in a line, each is read
from its left to its right.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from deadweight.errors import InvalidDocument, LimitExceeded, Unsupported
from deadweight.trace.calls import KINDS, REFUSED, Does, Kind, Shape

MAX_LINE = 256 << 10
"""The most bytes of a line: four paths of 4,095 characters, each escaped, make 64 KiB."""
MAX_UNFINISHED = 64 << 20
"""The most bytes that calls may take whose end is still to come."""


class Place(NamedTuple):
    """A path, and the path of the directory it is from: empty for the working directory, if the log does not name it, None
    where it is something else than a file or was deleted. A `path` of None is none at all, as of a bad pointer.
    """

    base: str | None
    path: str | None


class Call(NamedTuple):
    """A call that returned. `result` is None where the log does not say; `error` is a name like ENOENT, or empty.

    `flags` are the other arguments behind the first path as strace writes them, without texts. `opened` is the path of a returned
    descriptor. For `Does.FORK`, `result` is the process as strace numbers it; for `Does.MAKE_LINK`, the first place's
    path is the target.
    """

    process: int
    kind: Kind
    places: tuple[Place, ...]
    flags: str
    result: int | None
    error: str
    opened: str | None


class Forking(NamedTuple):
    """A process is about to start another, which may be heard of before that call returns."""

    process: int
    flags: str


class Ended(NamedTuple):
    """A process or a thread is no more."""

    process: int


Event = Call | Forking | Ended

# Each character can be matched in one way only, so that what does not match is found out in linear time.
_INNER = rb'[^"\\]*(?:\\.[^"\\]*)*'
_ESCAPED = rb'"(' + _INNER + rb')"(?:\.\.\.)?'
_TEXT = rb"(?:" + _ESCAPED + rb"|NULL|0x[0-9a-f]+)"
_NAMED = rb"(?:<([^>]*)>(\(deleted\))?)?"
_DESCRIPTOR = rb"(AT_FDCWD|-?\d+)" + _NAMED
_OTHER = rb"-?\d+(?:<[^>]*>(?:\(deleted\))?)?"
_REST = rb'([^"<)]*(?:(?:"' + _INNER + rb'"|<[^>]*>|\)(?! += ))[^"<)]*)*)\) += '
_RESULT = (
    rb"(\?|-?\d+|0x[0-9a-f]+)" + _NAMED + rb"(?: /\* (\d+) in strace's PID NS \*/)?(?: ([A-Z][A-Z0-9]+))?"
)

_ARGUMENTS = {
    Shape.PATH: _TEXT,
    Shape.PLACE: _DESCRIPTOR + rb", " + _TEXT,
    Shape.DESCRIPTOR: _DESCRIPTOR,
    Shape.DESCRIPTOR_PATH: _OTHER + rb", " + _TEXT,
    Shape.MARK: _OTHER + rb", [^,]*, [^,]*, " + _DESCRIPTOR + rb", " + _TEXT,
    Shape.PATHS: _TEXT + rb", " + _TEXT,
    Shape.PLACES: _DESCRIPTOR + rb", " + _TEXT + rb", " + _DESCRIPTOR + rb", " + _TEXT,
    Shape.TEXT_PATH: _TEXT + rb", " + _TEXT,
    Shape.TEXT_PLACE: _TEXT + rb", " + _DESCRIPTOR + rb", " + _TEXT,
    Shape.ADDRESS: _OTHER + rb"(?:, \{sa_family=AF_(?:UNIX|LOCAL), sun_path=" + _ESCAPED + rb")?",
    Shape.FLAGS: rb"",
}
_LINES = {shape: re.compile(first + _REST + _RESULT, re.DOTALL) for shape, first in _ARGUMENTS.items()}
_READ = {kind.name.encode(): (kind, _LINES[kind.shape].match) for kind in KINDS.values()}

_HEAD = re.compile(
    rb" *(?:\[pid +(\d{1,10})\] +|(\d{1,10}) +)?"  # whose
    rb"(?:(?:\d\d:\d\d:\d\d(?:\.\d+)?|\d+\.\d+) +(?:\(\+ +[\d.]+\) +)?)?"  # when: -r, -t, -tt or -ttt
    rb"(?:([\w?]+)\(|<\.\.\. ([\w?]+) resumed>|(\+\+\+|---|strace:|\[ Process) )"
)
_SUPERSEDED = re.compile(rb"superseded by execve in pid (\d{1,10})")
_UNFINISHED = b" <unfinished ...>"
_DETACHED = b" <detached ...>"
_ESCAPE = re.compile(rb"\\(?:([0-7]{1,3})|x([0-9a-f]{2})|(.))", re.DOTALL)
_LETTERS = {b"n": b"\n", b"t": b"\t", b"r": b"\r", b"v": b"\v", b"f": b"\f"}
_QUOTED = re.compile('"' + _INNER.decode() + '"', re.DOTALL)


def strace() -> str:
    """The path of the program. Raises `Unsupported`."""
    found = shutil.which("strace")
    if found is None:
        raise Unsupported("the trace", "strace is not there", "install the package strace")
    return found


def tracing(descriptor: int) -> list[str]:
    """The command line before a program's that makes strace write what it does to `descriptor`. Raises `Unsupported`.

    The program inherits the descriptor, too.
    """
    calls = ",".join(f"?{name}" for name in (*KINDS, *REFUSED))
    refused = ",".join(f"?{name}" for name in REFUSED)
    return [
        strace(),
        "--follow-forks",
        "--seccomp-bpf",
        "--decode-fds=path",
        "--decode-pids=pidns",
        "--string-limit=0",  # paths are always whole
        "--columns=1",
        "--quiet=attach,personality",
        "--signal=none",
        f"--trace={calls}",
        f"--inject={refused}:error=ENOSYS",
        f"--output=/proc/self/fd/{descriptor}",
        "--",
    ]


class Reader:
    """Reads a log that comes in pieces; `subject` names it in errors."""

    def __init__(self, subject: str) -> None:
        self._subject = subject
        self._number = 0
        self._rest = b""
        self._unfinished: dict[int, bytes] = {}
        self._held = 0

    def feed(self, piece: bytes) -> Iterator[Event]:
        """The events in `piece` and what came before. Raises `InvalidDocument` for what strace does not write, and
        `LimitExceeded`.
        """
        lines = (self._rest + piece).split(b"\n")
        self._rest = lines.pop()
        if len(self._rest) > MAX_LINE:
            self._number += len(lines) + 1
            raise LimitExceeded(self._where(), f"has more than {MAX_LINE} bytes")
        for line in lines:
            self._number += 1
            event = self._event(line)
            if event is not None:
                yield event

    def read(self, pieces: Iterable[bytes]) -> Iterator[Event]:
        """The events of a whole log. A last line without an end was cut off, and does not count."""
        for piece in pieces:
            yield from self.feed(piece)

    def _event(self, line: bytes) -> Event | None:
        head = _HEAD.match(line)
        if head is None:
            if line.strip():
                raise self._wrong()
            return None
        in_brackets, plain, name, resumed, mark = head.groups()
        process = int(plain or in_brackets or 0)
        if mark is not None:
            return self._change(process, mark, line[head.end() :])
        if resumed is not None:
            begun = self._unfinished.pop(process, None)
            if begun is None:
                return None  # of no interest, or begun before strace came
            self._held -= len(begun)
            line = begun + line[head.end() :]
            name, begin, start = resumed, 0, len(resumed) + 1
        else:
            begin, start = head.start(3), head.end()
        known = _READ.get(name)
        if known is None:
            return None
        if line.endswith(_UNFINISHED):
            return self._hold(process, known[0], line[begin : -len(_UNFINISHED)])
        match = known[1](line, start)
        if match is None:
            if line.endswith(_DETACHED):
                return None  # strace went before the call returned
            raise self._wrong()
        return self._call(process, known[0], match.groups())

    def _change(self, process: int, mark: bytes, text: bytes) -> Event | None:
        """A process that ended, or became another: a thread that executes a program takes the number of the first one."""
        if mark != b"+++":
            return None
        superseded = _SUPERSEDED.match(text)
        if superseded is None:
            self._held -= len(self._unfinished.pop(process, b""))
            return Ended(process)
        begun = self._unfinished.pop(int(superseded[1]), None)
        if begun is not None:
            self._held -= len(self._unfinished.get(process, b""))
            self._unfinished[process] = begun
        return Ended(int(superseded[1]))

    def _hold(self, process: int, kind: Kind, begun: bytes) -> Event | None:
        self._held += len(begun) - len(self._unfinished.get(process, b""))
        if self._held > MAX_UNFINISHED:
            raise LimitExceeded(self._where(), f"more than {MAX_UNFINISHED} bytes of calls have no end")
        self._unfinished[process] = begun
        if kind.does is Does.FORK:
            return Forking(process, begun.decode("latin-1"))
        return None

    def _call(self, process: int, kind: Kind, groups: tuple[bytes | None, ...]) -> Call | None:
        rest, result, opened, deleted, outer, error = groups[-6:]
        assert rest is not None and result is not None  # noqa: S101, PT018 - no optional groups
        flags = rest.decode("latin-1")
        if '"' in flags:
            flags = _QUOTED.sub("", flags)
        return Call(
            process,
            kind,
            self._places(kind.shape, groups),
            flags,
            _number(outer or result),
            error.decode() if error is not None else "",
            _path(opened) if opened is not None and opened[:1] == b"/" and deleted is None else None,
        )

    def _places(self, shape: Shape, groups: tuple[bytes | None, ...]) -> tuple[Place, ...]:
        if shape is Shape.PLACE:  # nearly all are
            return (self._place(groups[0], groups[1], groups[2], groups[3]),)
        if shape is Shape.PATH:
            return (Place("", _path(groups[0]) if groups[0] is not None else None),)
        texts = groups[:-6]
        if shape in _PLAIN:
            return tuple(Place("", _path(text) if text is not None else None) for text in texts)
        if shape is Shape.DESCRIPTOR:
            return (self._place(texts[0], texts[1], texts[2], b"."),)
        if shape is Shape.TEXT_PLACE:
            target = Place("", _path(texts[0]) if texts[0] is not None else None)
            return (target, self._place(texts[1], texts[2], texts[3], texts[4]))
        return tuple(
            self._place(texts[at], texts[at + 1], texts[at + 2], texts[at + 3])
            for at in range(0, len(texts), 4)
        )

    def _place(
        self, number: bytes | None, named: bytes | None, deleted: bytes | None, text: bytes | None
    ) -> Place:
        path = _path(text) if text is not None else None
        if named is not None:
            return Place(_path(named) if named[:1] == b"/" and deleted is None else None, path)
        if number == b"AT_FDCWD":
            return Place("", path)
        if path and path[0] != "/" and number is not None and number[:1] != b"-":
            problem = f"does not say which file the descriptor {number.decode()} is"
            raise InvalidDocument(self._where(), problem, "let strace write that: strace -f -y")
        return Place(None, path)

    def _where(self) -> str:
        return f"{self._subject}, line {self._number}"

    def _wrong(self) -> InvalidDocument:
        return InvalidDocument(
            self._where(), "is not as strace writes it", "strace -f -y -o FILE writes such a log"
        )


_PLAIN = frozenset(
    {Shape.PATH, Shape.DESCRIPTOR_PATH, Shape.PATHS, Shape.TEXT_PATH, Shape.ADDRESS, Shape.FLAGS}
)
"""Other shapes without directories' descriptors."""


def _number(raw: bytes) -> int | None:
    if raw == b"?":
        return None
    return int(raw, 16) if raw.startswith(b"0x") else int(raw)


def _path(raw: bytes) -> str:
    if b"\\" in raw:
        raw = _ESCAPE.sub(_unescaped, raw)
    return raw.decode("utf-8", "surrogateescape")


def _unescaped(match: re.Match[bytes]) -> bytes:
    octal, hexadecimal, letter = match.groups()
    if octal is not None:
        return bytes([int(octal, 8) & 255])
    if hexadecimal is not None:
        return bytes([int(hexadecimal, 16)])
    return _LETTERS.get(letter, letter)
