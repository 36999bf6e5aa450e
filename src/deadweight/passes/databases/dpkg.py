"""dpkg's databases (deb-control(5), dpkg(1), "FILES"; the files in info/ as dpkg 1.21 has them)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial

from deadweight.inventory.dpkg import FOLDER
from deadweight.inventory.model import DEB, Inventory, Package
from deadweight.passes.databases.model import (
    Changes,
    Contents,
    Remaining,
    child,
    children,
    decoded,
    encoded,
    packages,
    small,
)
from deadweight.tree.node import Node, Tree

_CONTROL = (f"{FOLDER}/status", f"{FOLDER}/status-old", f"{FOLDER}/available", "var/lib/apt/extended_states")
_DIVERSIONS = f"{FOLDER}/diversions"
_LISTS = frozenset({"list", "md5sums", "conffiles"})


class DpkgRewriter:
    """Rewrites status, status.d, info, and what names packages beside them. Diversions and statoverride stay."""

    def files(self, tree: Tree, inventory: Inventory) -> Iterable[Node]:
        """The control files, the lists of info and status.d, and the triggers."""
        if not packages(inventory, DEB):
            return
        yield from small(child(tree, path) for path in (*_CONTROL, _DIVERSIONS))
        info = children(tree, f"{FOLDER}/info")
        yield from small(node for node in info if node.name.rpartition(".")[2] in _LISTS)
        yield from small(children(tree, f"{FOLDER}/status.d"))
        yield from small(_interests(tree))

    def rewrite(self, remaining: Remaining, inventory: Inventory, read: Contents) -> Changes:
        known = packages(inventory, DEB)
        if not known:
            return {}
        gone = _Gone(known, remaining)
        listed = _Listed(remaining, _diversions(remaining.tree, read))
        changes: dict[str, bytes | None] = {}
        for node in small(child(remaining.tree, path) for path in _CONTROL):
            changes[node.path] = encoded(_stanzas(decoded(read(node.path)), gone, listed))
        for node in children(remaining.tree, f"{FOLDER}/info"):
            stem, _, kind = node.name.rpartition(".")
            if gone.owns(stem):
                changes[node.path] = None
            elif kind in _LISTS and next(small([node]), None) is not None:
                changes[node.path] = _list(kind, decoded(read(node.path)), partial(listed.place, stem))
        changes |= _status_d(remaining, listed, known, read)
        for node in small(_interests(remaining.tree)):
            changes[node.path] = encoded(_triggers(decoded(read(node.path)), gone))
        return changes


class _Gone:
    """The packages that are not left, by name and architecture."""

    def __init__(self, known: Iterable[Package], remaining: Remaining) -> None:
        left: set[tuple[str, str]] = set()
        gone: set[tuple[str, str]] = set()
        for package in known:
            (left if remaining.has_package(package) else gone).add((package.name, package.architecture))
        self._gone = gone - left
        self._names = {name for name, _ in self._gone} - {name for name, _ in left}

    def has(self, name: str, architecture: str) -> bool:
        # What apt marks is of the native architecture, also where the package is of all.
        return (name, architecture) in self._gone or name in self._names

    def owns(self, stem: str) -> bool:
        """Whether files in info called `stem` are of one: ``name``, or ``name:architecture``."""
        name, _, architecture = stem.partition(":")
        return self.has(name, architecture)


class _Listed:
    """What to list of what the lists name: it may be at the place to which a diversion has moved it."""

    def __init__(self, remaining: Remaining, diversions: dict[str, tuple[str, str]]) -> None:
        self._remaining = remaining
        self._diversions = diversions

    def place(self, stem: str, path: str) -> str | None:
        """What to list for `path` of the package whose files in info are called `stem`; None where it is gone."""
        if path not in self._diversions or self._diversions[path][1] == stem.partition(":")[0]:
            return self._remaining.place(path)
        return path if self._remaining.has(self._diversions[path][0]) else None


def _diversions(tree: Tree, read: Contents) -> dict[str, tuple[str, str]]:
    """Path -> where it was moved, and the package that moved it (``:`` for the administrator); without leading slashes."""
    node = next(small([child(tree, _DIVERSIONS)]), None)
    lines = decoded(read(node.path)).split("\n") if node is not None else []
    triples = zip(lines[0::3], lines[1::3], lines[2::3], strict=False)
    return {path.strip("/"): (moved.strip("/"), package) for path, moved, package in triples}


def _stanzas(text: str, gone: _Gone, listed: _Listed) -> str:
    """The control file without the stanzas of packages that are gone, and without configuration files that are."""
    left = ((stanza, name) for stanza in text.split("\n\n") if not gone.has(*(name := _named(stanza))))
    return "\n\n".join(_with_configuration(stanza, partial(listed.place, name[0])) for stanza, name in left)


def _with_configuration(stanza: str, place: Callable[[str], str | None]) -> str:
    """The stanza with those lines of its field Conffiles whose files are left: each has a path, its MD5 sum and perhaps a
    remark. Without any, the field goes.
    """
    begin = stanza.find("\nConffiles:\n")
    if begin < 0:
        return stanza
    head, _, rest = stanza[begin + 1 :].partition("\n")
    lines = rest.split("\n")
    count = next((number for number, line in enumerate(lines) if line[:1] != " "), len(lines))
    left = [line for line in lines[:count] if place(line.strip().partition(" ")[0].strip("/")) is not None]
    return "\n".join([stanza[:begin], *([head, *left] if left else []), *lines[count:]])


def _named(stanza: str) -> tuple[str, str]:
    name = architecture = ""
    for line in stanza.split("\n"):
        if line.startswith("Package:"):
            name = line[8:].strip()
        elif line.startswith("Architecture:"):
            architecture = line[13:].strip()
    return name, architecture


def _list(kind: str, text: str, place: Callable[[str], str | None]) -> bytes | None:
    """A file of info without the lines of what is gone; None for one of sums or configuration files without any."""
    lines = [changed for line in text.split("\n") if (changed := _line(kind, line, place)) is not None]
    return encoded("\n".join(lines)) if kind == "list" or any(lines) or not text else None


def _line(kind: str, line: str, place: Callable[[str], str | None]) -> str | None:
    """`line` with the path that it is to name; None where that is gone."""
    if kind == "md5sums":
        start = 34
    elif kind == "conffiles":  # which may say what becomes of it first: ``remove-on-upgrade /path``
        start = line.find("/")
    else:
        start = 0
    path = line[start:].removeprefix("./").strip("/")
    if path in ("", "."):
        return line
    there = place(path)
    if there is None or there == path:
        return None if there is None else line
    return f"{line[:start]}{'' if kind == 'md5sums' else '/'}{there}"


def _status_d(
    remaining: Remaining, listed: _Listed, known: Iterable[Package], read: Contents
) -> Iterator[tuple[str, bytes | None]]:
    """The files of distroless images: for each package its control file and, called like that, its sums."""
    described: dict[str, bool] = {}
    for package in known:
        described[package.source] = described.get(package.source, False) or remaining.has_package(package)
    for node in children(remaining.tree, f"{FOLDER}/status.d"):
        stem = node.path.removesuffix(".md5sums")
        if not described.get(stem, True):
            yield node.path, None
        elif stem != node.path and next(small([node]), None) is not None:
            place = partial(listed.place, stem.rpartition("/")[2])
            yield node.path, _list("md5sums", decoded(read(node.path)), place)


def _interests(tree: Tree) -> list[Node]:
    """The files that say who is interested in what; another one says what has been triggered."""
    return [node for node in children(tree, f"{FOLDER}/triggers") if node.name != "Unincorp"]


def _triggers(text: str, gone: _Gone) -> str:
    """Who is interested in a trigger: ``package[:architecture][/noawait]`` a line, in File after a path."""
    lines = text.split("\n")
    return "\n".join(
        line for line in lines if not line.strip() or not gone.owns(line.split()[-1].partition("/")[0])
    )
