"""What an ELF file loads at run time, as far as it says so: functions that it takes from libraries, and dlopen notes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from deadweight.errors import InvalidDocument, LimitExceeded
from deadweight.inventory.elf_format import ElfFile, Segment
from deadweight.layer.collect import ContentGap
from deadweight.oci.strict_json import loads_array

STARTING = frozenset(
    {"execl", "execle", "execlp", "execv", "execve", "execvp", "execvpe", "fexecve"}
    | {"popen", "posix_spawn", "posix_spawnp", "system"}
)
"""Functions that start programs."""
FUNCTIONS = tuple(sorted({"dlmopen", "dlopen", "iconv_open"} | STARTING))
"""The functions that say something of the files that a program opens, loads or starts."""
MAX_SEARCHED = 2 << 20
"""The most bytes of names that are searched: with more, not all of a file that comes in pieces may have been kept."""
MAX_SYMBOLS = 8 << 20
"""The most bytes of a symbol table that are searched."""
MAX_NOTES = 1 << 16
"""The most bytes of notes that are read."""

_NAME = re.compile(rb"(\0?)(%b)(?=\0)" % b"|".join(name.encode() for name in FUNCTIONS))
_MAX_FOUND = 64
_DLOPEN_NOTE = 0x407C0C0A


def imports(file: ElfFile, strings: int, strings_size: int, symbols: int) -> list[str]:
    """Those of `FUNCTIONS` that are undefined symbols of the table at offset `symbols`, with names at offset `strings`.

    Sorted; all of them where there are too many names to search. How long the table is nothing says but hash tables of several kinds: what lies behind it is searched too, up to the
    names where those come next. May raise `ContentGap`.
    """
    if strings_size > MAX_SEARCHED:
        return list(FUNCTIONS)
    names = file.content.read(strings, strings_size)
    found = [(not match[1], match.start(2), match[2].decode()) for match in _NAME.finditer(names)]
    # A linker may let one name be the end of another, but whole ones are likelier.
    found = sorted(found)[:_MAX_FOUND]
    if not found:
        return []
    end = strings if strings > symbols else symbols + MAX_SYMBOLS
    table = file.content.read(symbols, min(end - symbols, MAX_SYMBOLS))
    return sorted({name for _, offset, name in found if file.is_undefined(table, offset)})


def dlopen_names(file: ElfFile, segments: Iterable[Segment]) -> list[str]:
    """The names of libraries in the dlopen notes of `segments`, those with notes (UAPI.14, ELF dlopen metadata).

    Each once, in their order. A note that is wrong, or was not kept, says nothing.
    """
    room = MAX_NOTES
    found: dict[str, None] = {}
    for segment in segments:
        try:
            data = file.content.read(segment.offset, min(segment.size, room))
        except ContentGap:
            continue
        room -= len(data)
        for kind, owner, text in file.notes(data):
            if kind == _DLOPEN_NOTE and owner == b"FDO":
                found.update(dict.fromkeys(_sonames(text.rstrip(b"\0"))))
    return list(found)


def _sonames(text: bytes) -> Iterator[str]:
    try:
        features = loads_array(text, "a dlopen note")
    except (InvalidDocument, LimitExceeded):
        return
    for feature in features:
        names = feature.get("soname") if isinstance(feature, dict) else None
        if isinstance(names, list):
            yield from (name for name in names if isinstance(name, str))
