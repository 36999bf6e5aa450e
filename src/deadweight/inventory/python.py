"""Installed Python distributions (the database of installed packages of PEP 376 and the "Core metadata", "Recording
installed projects" and "Names and normalization" specifications of the PyPA; eggs as setuptools writes them).

A distribution owns the files in its RECORD and what Python compiled from them. Without one it owns its metadata and
the packages that it calls its top level.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable, Iterator
from io import StringIO
from itertools import islice

from deadweight.inventory.fields import one_line, single_requirements, text, texts
from deadweight.inventory.model import PYTHON, Package
from deadweight.inventory.reader import Facts, Locator, Problem
from deadweight.layer.collect import Content, Fact
from deadweight.tree.node import LinkLoop, Node, Tree

MAX_FILES = 250_000
"""The most files that one distribution may record."""
MAX_ALL_FILES = 2_000_000
"""The most files that all together may: hard links can give one RECORD to many."""
MAX_REQUIREMENTS = 10_000
"""The most requirements of one distribution, those of its extras counted."""

_PROJECT = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
_SEPARATORS = re.compile(r"[-_.]+")
_EXTRA = re.compile(r"\bextra\b")
_END_OF_HEADERS = re.compile(r"\r?\n\r?\n")


class DistributionCollector:
    """Collects what lies in ``*.dist-info`` and ``*.egg-info`` directories, and egg-info files.

    Each file gives some fields of its distribution: together they describe it.
    """

    name = "python"
    version = 1
    suffixes = frozenset({"egg-info"})
    magics: frozenset[bytes] = frozenset()
    limit = 4 << 20

    @property
    def names(self) -> frozenset[str]:
        return frozenset(_PARSERS)

    def wants(self, path: str, size: int) -> bool:
        return bool(_home(path))

    def parts(self, size: int, start: bytes) -> Iterable[range]:
        return (range(self.limit),)  # of METADATA the headers, whatever description follows

    def collect(self, path: str, content: Content) -> Fact:
        parse = _PARSERS.get(path.rpartition("/")[2], parse_metadata)
        if content.size > self.limit and parse is not parse_metadata:
            return _problem(f"is larger than {self.limit} bytes")
        return parse(content.read(0, self.limit).decode("utf-8", "replace"))


COLLECTOR = DistributionCollector()


class PythonReader:
    """Reads the distributions of every ``site-packages`` and the like."""

    collectors = (COLLECTOR,)

    def read(self, tree: Tree, facts: Facts) -> Iterator[Package | Problem]:
        """One package for each distribution; its name is the normalised one, as in its package URL."""
        distributions: dict[str, dict[str, Fact]] = {}
        for path, fact in facts.live(COLLECTOR):
            home = _home(path)
            if not home or not isinstance(fact, dict):
                continue
            if "problem" in fact:
                yield Problem(path, text(fact, "problem"))
            fields = distributions.setdefault(home, {})
            fields.update(fact)
            if "name" in fact:
                fields["source"] = path
        files = _Files(tree)
        for home, fields in distributions.items():
            if files.left < 0:
                yield Problem(home, f"with it, more than {MAX_ALL_FILES} files are recorded")
                return
            if "name" in fields:
                yield Package(
                    PYTHON,
                    text(fields, "name"),
                    text(fields, "version"),
                    text(fields, "source"),
                    files.of(home, fields),
                    license=text(fields, "license"),
                    requires=single_requirements(texts(fields, "requires") + texts(fields, "egg_requires")),
                )


def normalised(name: str) -> str:
    """The one form of the names of a project ("Names and normalization", formerly PEP 503)."""
    return _SEPARATORS.sub("-", name).lower()


def requirement(line: str) -> str:
    """The normalised name of the project that a dependency specifier asks for; empty for one of an extra, or a wrong one.

    No marker but ``extra`` is looked at: what the image's Python would say of the others is not known here.
    """
    specifier, _, marker = line.partition(";")
    match = _PROJECT.match(specifier.strip())
    return one_line(normalised(match[0])) if match and not _EXTRA.search(marker) else ""


def parse_metadata(content: str) -> dict[str, Fact]:
    """Name, version, licence and requirements of a METADATA or PKG-INFO file."""
    end = _END_OF_HEADERS.search(content)
    headers: dict[str, list[str]] = {}
    for line in content[: end.start() if end else None].splitlines():
        name, colon, value = line.partition(":")
        if colon and not line[0].isspace():
            headers.setdefault(name.lower(), []).append(value.strip())
    name = headers.get("name", [""])[0]
    if not _PROJECT.fullmatch(name) or not one_line(name):
        return _problem("has no valid Name")
    requirements = headers.get("requires-dist", [])
    if len(requirements) > MAX_REQUIREMENTS:
        return _problem(f"has more than {MAX_REQUIREMENTS} requirements")
    return {
        "name": normalised(name),
        "version": one_line(headers.get("version", [""])[0]),
        "license": _license(headers),
        "requires": [found for line in requirements if (found := requirement(line))],
    }


def parse_requires_txt(content: str) -> dict[str, Fact]:
    """The requirements of an egg: those of the sections that have a marker, but no extra."""
    lines = content.splitlines()
    if len(lines) > MAX_REQUIREMENTS:
        return _problem(f"has more than {MAX_REQUIREMENTS} lines")
    found: list[Fact] = []
    wanted = True
    for line in map(str.strip, lines):
        if line.startswith("["):
            wanted = line.startswith("[:")
        elif wanted and (name := requirement(line)):
            found.append(name)
    return {"egg_requires": found}


def parse_record(content: str) -> dict[str, Fact]:
    """The paths of a RECORD, one a line: relative to the directory that the dist-info directory is in, or absolute."""
    rows = csv.reader(StringIO(content, newline=""))
    try:
        paths = [row[0] for row in islice(rows, MAX_FILES) if row and "\n" not in row[0]]
        if next(rows, None) is not None:
            return _problem(f"records more than {MAX_FILES} files")
    except csv.Error as error:
        return _problem(f"is not valid CSV: {error}")
    return {"record": "\n".join(paths)}


def _parse_installed_files(content: str) -> dict[str, Fact]:
    return {"installed": "\n".join(content.splitlines())}


def _parse_sources(content: str) -> dict[str, Fact]:
    return {"sources": "\n".join(content.splitlines())}


def _parse_top_level(content: str) -> dict[str, Fact]:
    return {"modules": [name for line in content.splitlines() if (name := line.strip())]}


_PARSERS: dict[str, Callable[[str], dict[str, Fact]]] = {
    "METADATA": parse_metadata,
    "PKG-INFO": parse_metadata,
    "RECORD": parse_record,
    "installed-files.txt": _parse_installed_files,
    "SOURCES.txt": _parse_sources,
    "top_level.txt": _parse_top_level,
    "requires.txt": parse_requires_txt,
}


class _Files:
    """The files of distributions. What several would claim for want of a RECORD goes to the first."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._locator = Locator(tree)
        self._stems: dict[str, dict[str, list[str]]] = {}
        self._stems_of_node: dict[int, dict[str, list[str]]] = {}
        self._claimed: set[int] = set()
        self.left = MAX_ALL_FILES

    def of(self, home: str, fields: dict[str, Fact]) -> tuple[str, ...]:
        """The files of the distribution whose metadata is at `home`."""
        site = home.rpartition("/")[0]
        paths = [home, *self._below(home)]
        if "record" in fields:
            paths += self._recorded(site, text(fields, "record"))
        elif "installed" in fields:
            paths += self._recorded(home, text(fields, "installed"))
        else:
            paths += self._top_level(site, texts(fields, "modules"), text(fields, "sources"))
        return self._locator.owned(paths)

    def _recorded(self, base: str, record: str) -> Iterator[str]:
        lines = record.split("\n")
        self.left -= len(lines)
        for line in lines:
            yield from self._with_compiled(_join(base, line))
            if line.startswith("../../bin/"):
                # `pip install --target` moves scripts into the target, but leaves their entries as they are.
                yield _join(base, line[6:])

    def _with_compiled(self, path: str) -> Iterator[str]:
        """`path` and, if it is a module, what was compiled from it (PEP 3147), or beside it (``compileall -b``)."""
        yield path
        directory, _, name = path.rpartition("/")
        if name.endswith(".py"):
            yield path + "c"
            cache = _join(directory, "__pycache__")
            yield from (_join(cache, compiled) for compiled in self._names(cache).pop(name[:-3], ()))

    def _top_level(self, site: str, modules: list[str], sources: str) -> Iterator[str]:
        namespaces = set()
        for module in modules:
            package = _join(site, module)
            if "/" not in module and "__init__" in self._names(package):
                yield from self._below(package)
            else:
                namespaces.add(module)
            for name in self._names(site).pop(module, ()):
                if name.endswith((".py", ".so")):
                    yield from self._with_compiled(_join(site, name))
        lines = sources.split("\n")
        self.left -= len(lines) + len(modules)
        for line in lines:
            # Several distributions share a namespace package: each owns what it says, not the whole.
            if line.partition("/")[0] in namespaces:
                yield from self._with_compiled(_join(site, line))

    def _below(self, path: str) -> Iterator[str]:
        node = self._find(path)
        if node is None or node.children is None or id(node) in self._claimed:
            return
        self._claimed.add(id(node))
        yield from (below for below, _ in node.walk())

    def _names(self, directory: str) -> dict[str, list[str]]:
        """The names in `directory` by what is before their first dot."""
        if (known := self._stems.get(directory)) is not None:
            return known
        node = self._find(directory)
        found = self._stems_of_node.get(id(node))  # several links may lead to one directory
        if found is None:
            found = {}
            for name in (node.children if node is not None else None) or ():
                found.setdefault(name.partition(".")[0], []).append(name)
            self._stems_of_node[id(node)] = found
        self._stems[directory] = found
        return found

    def _find(self, path: str) -> Node | None:
        try:
            return self._tree.resolve(path)
        except LinkLoop:
            return None


def _home(path: str) -> str:
    """The metadata directory (of an egg sometimes a file) that `path` belongs to; empty where there is none."""
    directory = path.rpartition("/")[0]
    if directory.endswith((".dist-info", ".egg-info")):
        return directory
    return path if path.endswith(".egg-info") else ""


def _license(headers: dict[str, list[str]]) -> str:
    for name in ("license-expression", "license"):
        value = one_line(headers.get(name, [""])[0])
        if value and value != "UNKNOWN":
            return value
    classifiers = (line.split(" :: ") for line in headers.get("classifier", ()))
    return next((one_line(parts[-1]) for parts in classifiers if parts[0] == "License"), "")


def _join(directory: str, path: str) -> str:
    return path if path.startswith("/") or not directory else f"{directory}/{path}"


def _problem(reason: str) -> dict[str, Fact]:
    return {"problem": reason}
