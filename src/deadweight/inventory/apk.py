"""Alpine's and Wolfi's packages: apk's database of what is installed (apk-tools, apk-v2(5), "installed database")."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from deadweight.inventory.fields import one_line, text
from deadweight.inventory.model import APK, Package
from deadweight.inventory.reader import Facts, Locator, Problem, first_fact
from deadweight.layer.collect import Content, Fact, WholeOrNothing
from deadweight.tree.node import Tree

DATABASES = ("lib/apk/db/installed", "usr/lib/apk/db/installed")
WORLD = ("etc/apk/world",)

_FIELDS = {
    "P": "name",
    "V": "version",
    "A": "architecture",
    "o": "origin",
    "L": "license",
    "D": "depends",
    "p": "provides",
    "i": "install_if",
}
_CONSTRAINT = re.compile(r"[@=<>~]")


class ApkCollector(WholeOrNothing):
    """Collects the database, and the world: what was asked for by name."""

    name = "apk"
    version = 1
    names = frozenset({"installed", "world"})
    suffixes: frozenset[str] = frozenset()
    magics: frozenset[bytes] = frozenset()
    limit = 32 << 20

    def wants(self, path: str, size: int) -> bool:
        return path.endswith(("apk/db/installed", "apk/world"))

    def collect(self, path: str, content: Content) -> Fact:
        """The fields of each package, as they stand, with the list of its files; of the world the names."""
        if content.size > self.limit:
            return {"problem": f"is larger than the {self.limit} bytes that are read"}
        data = content.read(0, content.size).decode("utf-8", "surrogateescape")
        if path.endswith("world"):
            return {"names": list[Fact](_names(data))}
        try:
            packages = [_record(paragraph) for paragraph in data.split("\n\n")]
        except _Amplified:
            return {"problem": "has a package whose paths are longer than they can be"}
        return {"packages": [package for package in packages if one_line(package.get("name"))]}


class ApkReader:
    """Reads the packages of apk."""

    collector = ApkCollector()
    collectors = (collector,)

    def read(self, tree: Tree, facts: Facts) -> Iterator[Package | Problem]:
        """The packages of the database that apk itself would use."""
        found = first_fact(tree, facts, self.collector, DATABASES)
        if found is None:
            return
        source, fact = found
        if "problem" in fact:
            yield Problem(source, text(fact, "problem"))
        world = first_fact(tree, facts, self.collector, WORLD)
        wanted = _wanted(world[1]) if world is not None else None
        locator = Locator(tree)
        packages = fact.get("packages")
        for record in packages if isinstance(packages, list) else ():
            if isinstance(record, dict):
                yield _package(record, source, locator, wanted)


class _Amplified(ValueError):
    """A few long folders and many short names, to make more of a small file."""


def _record(paragraph: str) -> dict[str, Fact]:
    record: dict[str, Fact] = {}
    files: list[str] = []
    prefix = ""
    room = 8 * len(paragraph)
    for line in paragraph.split("\n"):
        if line.startswith("R:"):
            files.append(prefix + line[2:])
            room -= len(files[-1])
            if room < 0:
                raise _Amplified
        elif line.startswith("F:"):
            prefix = line[2:] + "/" if len(line) > 2 else ""
        elif line[1:2] == ":" and line[0] in _FIELDS:
            record[_FIELDS[line[0]]] = line[2:]
    if files:
        record["files"] = "\n".join(files)
    return record


def _package(
    record: dict[str, Fact], source: str, locator: Locator, wanted: frozenset[str] | None
) -> Package:
    name = one_line(record.get("name"))
    provides = tuple(_names(text(record, "provides")))
    return Package(
        ecosystem=APK,
        name=name,
        version=one_line(record.get("version")),
        source=source,
        paths=locator.owned(text(record, "files").split("\n")),
        architecture=one_line(record.get("architecture")),
        origin=one_line(record.get("origin")),
        license=one_line(record.get("license")),
        requires=tuple((required,) for required in _names(text(record, "depends"))),
        provides=provides,
        install_if=tuple(_names(text(record, "install_if"))),
        wanted=None if wanted is None else name in wanted or not wanted.isdisjoint(provides),
    )


def _wanted(world: dict[str, Fact]) -> frozenset[str]:
    names = world.get("names")
    return (
        frozenset(name for name in names if isinstance(name, str)) if isinstance(names, list) else frozenset()
    )


def _names(text: str) -> list[str]:
    """The names of dependencies, without versions and repositories; a conflict (``!name``) is none. Each once."""
    names: Iterable[str] = (_CONSTRAINT.split(item, maxsplit=1)[0] for item in text.split())
    return [name for name in dict.fromkeys(names) if name and not name.startswith("!")]
