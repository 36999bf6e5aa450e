"""What strace prints for a call, written slowly and plainly: nothing is shared with the code that reads it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

_LETTERS = {0x09: "\\t", 0x0A: "\\n", 0x0B: "\\v", 0x0C: "\\f", 0x0D: "\\r", 0x22: '\\"', 0x5C: "\\\\"}


def escaped(raw: bytes, brackets: bool = False) -> str:
    """`raw` as in strace's texts, or as in its angle brackets."""
    written = ""
    for at, byte in enumerate(raw):
        following = raw[at + 1 : at + 2]
        if byte in _LETTERS:
            written += _LETTERS[byte]
        elif 0x20 <= byte < 0x7F and not (brackets and byte in b"<>"):
            written += chr(byte)
        elif following.isdigit():  # else that digit would be the escape's
            written += f"\\{byte:03o}"
        else:
            written += f"\\{byte:o}"
    return written


@dataclass(frozen=True)
class Place:
    """A path, from the directory `base`; `number` is its descriptor, None for the working directory."""

    path: bytes
    base: bytes = b"/"
    number: int | None = None
    deleted: bool = False

    def written(self) -> str:
        name = "AT_FDCWD" if self.number is None else str(self.number)
        return f"{name}<{escaped(self.base, True)}>{'(deleted)' if self.deleted else ''}"


@dataclass(frozen=True)
class Said:
    """A call and what it returned. `words` are the arguments as written, `cut` is how many of them came before another
    process spoke; None where none did.
    """

    process: int
    name: str
    words: tuple[str, ...]
    result: str
    cut: int | None = None

    def lines(self) -> tuple[str, str]:
        """The line, or its two parts; the first is empty where there is only one."""
        if self.cut is None:
            return "", f"{self.process} {self.name}({', '.join(self.words)}) = {self.result}\n"
        before, after = ", ".join(self.words[: self.cut]), ", ".join(self.words[self.cut :])
        between = ", " if before and after else ""
        first = f"{self.process} {self.name}({before}{between} <unfinished ...>\n"
        return first, f"{self.process} <... {self.name} resumed>{after}) = {self.result}\n"


def errors() -> Mapping[str, str]:
    return {
        "ENOENT": "No such file or directory",
        "EACCES": "Permission denied",
        "ENOTDIR": "Not a directory",
        "EEXIST": "File exists",
    }
