"""One pass over an uncompressed layer: its entries, the digest of every file, and facts of the files that collectors want."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from hashlib import sha256
from typing import TypeVar

from deadweight.errors import InvalidLayer, LimitExceeded
from deadweight.layer.collect import START, Collector, Content, Fact
from deadweight.layer.content import Kept, Space, Whole
from deadweight.layer.entry import FILE, Entry
from deadweight.layer.tar_header import BLOCK_SIZE, ZEROS, Header, HeaderError, HeaderReader

MAX_ENTRIES = 2_000_000
"""The most entries of a layer; each takes about 1 KB of memory."""
MAX_TEXT = 256 << 20
"""The most characters of names, link targets, extended attributes and facts of a layer: a hundred times those of 50,000 files."""

_EMPTY = sha256(b"").digest()
_Key = TypeVar("_Key", bound=Hashable)


class Scanner:
    """Reads one layer, in pieces of any size; `subject` names it in errors."""

    def __init__(self, pieces: Iterator[memoryview], collectors: Sequence[Collector], subject: str) -> None:
        self._pieces = pieces
        self._subject = subject
        self._view = memoryview(b"")
        self._size = 0  # of the view
        self._position = 0  # in the view
        self._base = 0  # offset of the view in the layer
        self._names = _by_key((collector.names, collector) for collector in collectors)
        self._suffixes = _by_key((collector.suffixes, collector) for collector in collectors)
        self._magics = _by_key((collector.magics, collector) for collector in collectors)
        self._space = Space()
        self._text_left = MAX_TEXT
        self.entries: list[Entry] = []
        self.facts: dict[str, dict[int, Fact]] = {collector.name: {} for collector in collectors}

    @property
    def offset(self) -> int:
        """How much of the layer has been read, in bytes."""
        return self._base + self._position

    def scan(self) -> None:
        """Reads the layer to its end. Raises `InvalidLayer` and `LimitExceeded`."""
        reader = HeaderReader()
        start = here = 0
        block: bytes | None = b""
        try:
            while (block := self._block()) is not None and block != ZEROS:
                header = reader.read(block)
                if isinstance(header, int):
                    reader.extend(block, self._take(header))
                else:
                    self._entry(header, start)
                    start = self._base + self._position
                here = self._base + self._position
            if reader.incomplete:
                raise HeaderError("ends the layer, though it announces another entry")
        except HeaderError as error:
            name = (block or b"")[:100].partition(b"\0")[0].decode("utf-8", "backslashreplace")
            raise InvalidLayer(self._subject, f"the tar header {name!r} {error}", offset=here) from None
        if block is not None:
            self._end_of_archive()

    def _entry(self, header: Header, start: int) -> None:
        path, kind, size, mode, uid, gid, mtime, link, xattrs, device = header
        if len(self.entries) >= MAX_ENTRIES:
            raise LimitExceeded(self._subject, f"holds more than {MAX_ENTRIES} entries")
        self._text_left -= len(path) + len(link)
        if xattrs or self._text_left < 0:
            self._keep(sum(len(name) + len(value) for name, value in xattrs))
        digest = b""
        if kind is FILE:
            digest = self._content(path, size) if size else _EMPTY
        fields = (path, kind, size, mode, uid, gid, mtime, link, digest, start, xattrs, device)
        self.entries.append(tuple.__new__(Entry, fields))

    def _content(self, path: str, size: int) -> bytes:
        """Reads the content of the next entry with its padding; its sha256."""
        position = self._position
        padded = position + (size + 511 & ~511)
        if padded > self._size:
            return self._long_content(path, size)
        self._position = padded
        view = self._view[position : position + size]
        name = path[path.rfind("/") + 1 :]
        collectors = (
            self._magics.get(bytes(view[:4]))
            or self._names.get(name)
            or self._suffixes.get(name[name.rfind(".") + 1 :])
        )
        if collectors:
            self._collect(path, name, Whole(view))
        return sha256(view).digest()

    def _long_content(self, path: str, size: int) -> bytes:
        """The same for a content that lies in several pieces."""
        what = f"the content of {path!r}"
        start = self._exactly(min(4, size), what)
        name = path[path.rfind("/") + 1 :]
        wanting = [collector for collector in self._wanting(name, start) if collector.wants(path, size)]
        kept = None
        if wanting:
            start += self._exactly(min(START, size) - len(start), what)
            parts = [part for collector in wanting for part in collector.parts(size, start)]
            kept = Kept(size, [range(len(start)), *parts], self._space)
            kept.append(start)
        hasher = sha256(start)
        left = size - len(start)
        while left:
            if self._position == self._size:
                self._next_piece(what)
            piece = self._view[self._position : self._position + left]
            hasher.update(piece)
            if kept is not None:
                kept.append(piece)
            self._position += len(piece)
            left -= len(piece)
        self._skip(-size % BLOCK_SIZE)
        if kept is not None:
            self._collect(path, name, kept)
        return hasher.digest()

    def _wanting(self, name: str, magic: bytes) -> tuple[Collector, ...]:
        found = (
            self._magics.get(magic, ())
            + self._names.get(name, ())
            + self._suffixes.get(name[name.rfind(".") + 1 :], ())
        )
        return found if len(found) < 2 else tuple(dict.fromkeys(found))

    def _collect(self, path: str, name: str, content: Content) -> None:
        for collector in self._wanting(name, content.read(0, 4)):
            if collector.wants(path, content.size):
                fact = collector.collect(path, content)
                if fact is not None:
                    self._keep(_weight(fact))
                    self.facts[collector.name][len(self.entries)] = fact

    def _keep(self, characters: int) -> None:
        self._text_left -= characters
        if self._text_left < 0:
            problem = f"has more than {MAX_TEXT} characters of names, attributes and package data"
            raise LimitExceeded(self._subject, problem)

    def _block(self) -> bytes | None:
        """The next block of 512 bytes; None at the end of the stream."""
        position = self._position
        end = position + BLOCK_SIZE
        if end <= self._size:
            self._position = end
            return bytes(self._view[position:end])
        block = bytes(self._view[position:])
        self._position = self._size
        while len(block) < BLOCK_SIZE:
            piece = next(self._pieces, None)
            if piece is None:
                if block:
                    raise InvalidLayer(self._subject, "is cut off in a tar header", offset=self.offset)
                return None
            self._use(piece)
            self._position = min(BLOCK_SIZE - len(block), len(piece))
            block += piece[: self._position]
        return block

    def _take(self, size: int) -> bytes:
        """The next `size` bytes, and past their padding."""
        data = self._exactly(size, "a tar header")
        self._skip(-size % BLOCK_SIZE)
        return data

    def _exactly(self, size: int, what: str) -> bytes:
        data = bytearray()
        while len(data) < size:
            if self._position == self._size:
                self._next_piece(what)
            piece = self._view[self._position : self._position + size - len(data)]
            self._position += len(piece)
            data += piece
        return bytes(data)

    def _skip(self, size: int) -> None:
        while size:
            if self._position == self._size:
                self._next_piece("the padding of an entry")
            step = min(size, self._size - self._position)
            self._position += step
            size -= step

    def _next_piece(self, what: str) -> None:
        piece = next(self._pieces, None)
        if piece is None:
            raise InvalidLayer(self._subject, f"is cut off in {what}", offset=self.offset)
        self._use(piece)

    def _use(self, piece: memoryview) -> None:
        self._base += self._size
        self._view = piece
        self._size = len(piece)
        self._position = 0

    def _end_of_archive(self) -> None:
        """After the first block of zeros: the second must follow; what comes then is no part of the tree."""
        block = self._block()
        if block is not None and block != ZEROS:
            raise InvalidLayer(self._subject, "goes on after a single block of zeros", offset=self.offset)
        self._position = self._size
        for piece in self._pieces:
            self._use(piece)
            self._position = self._size


def _weight(fact: Fact) -> int:
    """About how many characters `fact` keeps."""
    if isinstance(fact, str):
        return len(fact)
    if isinstance(fact, list):
        return 8 + sum([len(item) if isinstance(item, str) else _weight(item) for item in fact])
    if isinstance(fact, dict):
        return 64 + sum(map(len, fact)) + _weight(list(fact.values()))
    return 8


def _by_key(pairs: Iterable[tuple[frozenset[_Key], Collector]]) -> dict[_Key, tuple[Collector, ...]]:
    table: dict[_Key, tuple[Collector, ...]] = {}
    for keys, collector in pairs:
        for key in keys:
            table[key] = (*table.get(key, ()), collector)
    return table
