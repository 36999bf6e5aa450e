"""Contents on their way from a layer to a higher one: on disk, for as long as the layers are rewritten."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Self

from deadweight.passes.staying import Place

_PIECE = 1 << 20


class CarriedContents:
    """Headers and contents by the place that they are from. A context manager: leaving it removes them all."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile(prefix="deadweight-")  # noqa: SIM115
        self._known: dict[Place, tuple[bytes, int, int]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def put(self, place: Place, header: bytes, pieces: Iterable[memoryview]) -> None:
        """Takes in a content, and its header with all extension headers."""
        start = end = self._file.seek(0, 2)
        for piece in pieces:
            end += self._file.write(piece)
        self._known[place] = header, start, end

    def header(self, place: Place) -> bytes:
        return self._known[place][0]

    def content(self, place: Place) -> Iterator[bytes]:
        _, position, end = self._known[place]
        while position < end:
            self._file.seek(position)
            piece = self._file.read(min(_PIECE, end - position))
            position += len(piece)
            yield piece
