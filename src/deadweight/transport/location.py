"""Where a path ends and the image's name begins: ``PATH[:NAME]``, with colons in either."""

from __future__ import annotations

from pathlib import Path


def split_location(location: str) -> tuple[Path, str]:
    """The path and the name (empty if there is none) in `location`.

    The longest part before a colon that exists is the path. If none exists, the path goes on to the first colon
    after the deepest folder that does: ``a:b/new:tag`` is ``a:b/new`` and ``tag`` where the folder ``a:b`` is, else
    ``a`` and ``b/new:tag``.
    """
    if exists(location):
        return Path(location), ""
    colon = location.rfind(":")
    while colon > 0:
        if exists(location[:colon]):
            return Path(location[:colon]), location[colon + 1 :]
        colon = location.rfind(":", 0, colon)
    slash = location.rfind("/")
    while slash > 0 and not exists(location[:slash]):
        slash = location.rfind("/", 0, slash)
    colon = location.find(":", slash + 1)
    if colon < 0:
        return Path(location), ""
    return Path(location[:colon]), location[colon + 1 :]


def exists(text: str) -> bool:
    """Whether `text` names something in the file system; what cannot be a path does not."""
    try:
        return Path(text).exists()
    except OSError:  # too long, or a loop of links
        return False
