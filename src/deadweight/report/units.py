"""Sizes and shares as people read them."""

from __future__ import annotations

UNKNOWN = "–"
UNCOMPRESSED = "the source holds it uncompressed"
"""Why a wire size is unknown."""
_STEPS = ((10**9, "GB"), (10**6, "MB"), (10**3, "kB"))


def size(count: int | None) -> str:
    """`count` bytes in decimal units, as registries and disks are sold: ``1.2 MB``; a dash for unknown."""
    if count is None:
        return UNKNOWN
    for step, unit in _STEPS:
        if abs(count) >= step * 0.9995:
            value = count / step
            digits = 0 if abs(value) >= 99.95 else 1
            return f"{value:.{digits}f} {unit}"
    return f"{count} B"


def change(count: int | None) -> str:
    """The same with a sign."""
    if count is None:
        return UNKNOWN
    return f"+{size(count)}" if count > 0 else size(count)


def share(part: int | None, whole: int | None) -> str:
    """`part` of `whole` in percent."""
    if part is None or not whole:
        return UNKNOWN
    percent = 100 * part / whole
    return f"{percent:.1f} %" if abs(percent) < 9.95 else f"{percent:.0f} %"


def count(number: int, one: str, many: str = "") -> str:
    """``1 file``, ``2 files``; `many` where it is not `one` with an s."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def printable(text: str) -> str:
    """`text` safe to show: control characters and bytes that are not UTF-8 as escapes.

    Paths and instructions come from strangers; a terminal obeys some of their characters.
    """
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else _escaped(character) for character in text)


def _escaped(character: str) -> str:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # a surrogate escape stands for one byte
        return f"\\x{code - 0xDC00:02x}"
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
