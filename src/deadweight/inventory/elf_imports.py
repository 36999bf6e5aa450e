"""What an ELF file loads at run time, as far as it says so: functions that it takes from libraries, and dlopen notes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from deadweight.errors import InvalidDocument, LimitExceeded
from deadweight.inventory.elf_format import MAX_KEPT, ElfFile, Segment
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
"""The most bytes of names that are searched where they do not lie in the first `MAX_KEPT` bytes, which are always kept."""
MAX_SYMBOLS = 8 << 20
"""The most bytes of a symbol table that are searched."""
MAX_NOTES = 1 << 16
"""The most bytes of notes that are read."""

_MAX_TRIED = 16
"""How many names that end like a function are tried for it: a linker may let one name be the end of another."""
_DLOPEN_NOTE = 0x407C0C0A


def imports(file: ElfFile, strings: int, strings_size: int, symbols: int) -> list[str]:
    """Those of `FUNCTIONS` that are undefined symbols of the table at offset `symbols`, with names at offset `strings`.

    Sorted; all of them where there are too many names to search. How long the table is nothing says but hash tables of several kinds: what lies behind it is searched too, up to the
    names where those come next. May raise `ContentGap`.
    """
    if strings_size > MAX_SEARCHED and strings + strings_size > MAX_KEPT:
        return list(FUNCTIONS)
    names = file.content.read(strings, strings_size)
    found = {name: offsets for name in FUNCTIONS if (offsets := _offsets(names, name.encode()))}
    if not found:
        return []
    end = strings if strings > symbols else symbols + MAX_SYMBOLS
    table = file.content.read(symbols, min(end - symbols, MAX_SYMBOLS))
    return [
        name for name, offsets in found.items() if any(file.is_undefined(table, offset) for offset in offsets)
    ]


def _offsets(names: bytes, name: bytes) -> list[int]:
    """Where `name` is in `names`: first as a name of its own."""
    found = []
    whole = names.find(b"\0" + name + b"\0")
    if whole >= 0:
        found.append(whole + 1)
    at = names.find(name + b"\0")
    while at >= 0 and len(found) < _MAX_TRIED:
        found.append(at)
        at = names.find(name + b"\0", at + 1)
    return found


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
