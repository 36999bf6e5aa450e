"""The pieces of a compressed stream."""

from __future__ import annotations

from typing import NamedTuple


class Block(NamedTuple):
    """Some compressed bytes, and how many uncompressed ones they stand for."""

    size: int
    data: bytes
