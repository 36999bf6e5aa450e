"""A blob as a stream that picks up where a broken connection left off."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from deadweight.oci.descriptor import Descriptor
from deadweight.transport.registry.connection import BrokenConnection, Patience, Response

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_PROGRESS = 1 << 20
"""Bytes after which earlier failures are forgotten."""


class BlobStream(io.RawIOBase):
    """The bytes of a blob, at most as many as its descriptor says. `open_at` asks for them from an offset on."""

    def __init__(
        self, open_at: Callable[[int], Response], descriptor: Descriptor, patience: Patience
    ) -> None:
        super().__init__()
        self._open_at = open_at
        self._descriptor = descriptor
        self._patience = patience
        self._position = 0
        self._failures = 0
        self._failed_at = 0
        self._received = 0
        self._waited = 0.0
        self._response = open_at(0)

    def readable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Fills `buffer` as far as the blob goes. Raises `TransportError` when trying again did not help."""
        view = memoryview(buffer).cast("B")[: self._descriptor.size - self._position]
        left = view
        while left:
            try:
                data = self._receive(len(left))
            except BrokenConnection as error:
                self._resume(error)
                continue
            left[: len(data)] = data
            left = left[len(data) :]
            self._position += len(data)
        return len(view)

    def close(self) -> None:
        """Does not wait for a thread that is reading: that will find the connection broken, and not resume."""
        if not self.closed:
            self._response.close()
        super().close()

    def _receive(self, wanted: int) -> bytes:
        begun = time.monotonic()
        data = self._response.read_some(wanted)
        self._waited += time.monotonic() - begun
        self._received += len(data)
        if not data:
            raise self._broken("ended")
        # The limit for one read does not stop a server that sends single bytes.
        if self._waited > self._patience.read:
            if self._received < self._waited * self._patience.minimum_rate:
                raise self._broken(f"came to under {self._patience.minimum_rate} bytes a second")
            self._received, self._waited = 0, 0.0
        return data

    def _resume(self, error: BrokenConnection) -> None:
        if self._position - self._failed_at >= _PROGRESS:
            self._failures = 0
        self._failures += 1
        self._failed_at = self._position
        self._response.close()
        if self._failures >= self._patience.attempts:
            raise self._broken(f"{error.problem} {self._failures} times:") from error
        time.sleep(self._patience.backoff * 2 ** (self._failures - 1))
        self._received, self._waited = 0, 0.0
        self._response = self._open_at(self._position)
        if self.closed:  # by another thread, meanwhile
            self._response.close()
            raise error

    def _broken(self, what: str) -> BrokenConnection:
        place = f"byte {self._position} of {self._descriptor.size}"
        return BrokenConnection(
            f"blob {self._descriptor.digest}", f"the download {what} at {place}", "try again"
        )
