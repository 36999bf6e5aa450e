"""Strings in what an ELF file loads: names of libraries, paths, and words that somebody asks for.

Only whole strings count, as C compilers write them: ended by a zero byte. Those of Go and Rust are not.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from deadweight.evidence.scene import Scene
from deadweight.inventory.elf_format import BrokenElf, open_elf
from deadweight.layer.collect import ContentGap
from deadweight.layer.content import Whole
from deadweight.tree.node import Node

MAX_SEARCHED = 64 << 20
"""The most bytes of one file that are searched."""
MAX_FOUND = 100_000
"""The most strings of one kind that are taken from one file."""

_LIBRARY = re.compile(rb"lib[A-Za-z0-9_+.-]{1,100}\.so(?:\.[0-9.]{1,20})?(?=\0)")
_PATH = re.compile(rb"\0/[\x21-\x7e]{2,255}(?=\0)")
_PIECE = 1 << 20
_PT_LOAD, _PF_X = 1, 1


@dataclass(frozen=True, slots=True)
class Strings:
    """The parts of one file that hold its data."""

    parts: Sequence[memoryview]

    def libraries(self) -> list[str]:
        """What has the form of a library's file name, sorted."""
        return sorted({match[0].decode() for match in self._matches(_LIBRARY)})

    def paths(self) -> list[str]:
        """Absolute paths, sorted."""
        return sorted({match[0][1:].decode() for match in self._matches(_PATH)})

    def _matches(self, pattern: re.Pattern[bytes]) -> Iterator[re.Match[bytes]]:
        return islice((match for part in self.parts for match in pattern.finditer(part)), MAX_FOUND)

    def words(self, wanted: Container[bytes]) -> list[str]:
        """Which of `wanted` are strings, sorted. A string may be missed where two pieces of a megabyte meet."""
        found = {
            word
            for part in self.parts
            for start in range(0, len(part), _PIECE)
            for word in bytes(part[start : start + _PIECE]).split(b"\0")
            if word in wanted
        }
        return sorted(word.decode("utf-8", "surrogateescape") for word in found)


def strings(scene: Scene, node: Node) -> Strings:
    """The strings of `node`, an ELF file: of what is loaded and is not only code; none where it cannot be read."""
    raw = scene.contents.read(node, MAX_SEARCHED)
    if raw is None:
        return Strings(())
    return Strings([memoryview(raw)[part.start : part.stop] for part in _data_parts(raw)])


def _data_parts(raw: bytes) -> Iterator[range]:
    """Where the data are. The code is left out where the linker keeps both apart: it does not in what is loaded first."""
    file = open_elf(Whole(raw))
    if file is None:
        return
    try:
        loads = [segment for segment in file.segments() if segment.kind == _PT_LOAD]
    except (BrokenElf, ContentGap):
        return
    for number, load in enumerate(loads):
        if not number or not load.flags & _PF_X:
            yield range(load.offset, load.offset + load.size)
