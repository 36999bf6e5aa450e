"""Names of packages in the text of JavaScript, and of what else names them.

Nothing is parsed. The files of an application all stay, and packages stay whole, so what counts is which packages are named:
each string constant that is a name is found by its quotes. A comment that has a name in quotes costs a claim at most.
"""

from __future__ import annotations

import re

_NAME = r"((?:@[\w.~-]++/)?[\w.~-]++)(?=[/\"'`]|\$\{)"
_QUOTED = re.compile(rf"[\"'`]{_NAME}", re.ASCII)
_IMPORTED = re.compile(
    rf"(?:[rR]equire|import|resolve|from)\s*+(?:\.\s*+\w++\s*+)?\(?\s*+(?:/\*[^*]{{0,200}}\*/\s*+)?[\"'`]{_NAME}",
    re.ASCII,
)
_SCOPE = re.compile(r"[\"'`](@[\w.~-]++/)(?=[\"'`]|\$\{)", re.ASCII)
_WORD = re.compile(r"(?:@[\w.~-]++/)?[\w.~-]++", re.ASCII)


def quoted(text: str) -> list[str]:
    """What stands in quotes and may be the name of a package, or of a module in one; sorted.

    An end of ``-`` or ``/`` says that a name is put together: it may be any name that begins so.
    """
    return sorted({*_QUOTED.findall(text), *_SCOPE.findall(text)})


def imported(text: str) -> list[str]:
    """The same, but only where it is imported, required or resolved."""
    return sorted({*_IMPORTED.findall(text), *_SCOPE.findall(text)})


def words(text: str) -> list[str]:
    """What of arguments and options may be the name of a package; sorted."""
    return sorted(set(_WORD.findall(text)))
