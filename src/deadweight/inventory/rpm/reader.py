"""The packages of Fedora, Red Hat, SUSE and their kin."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from deadweight.inventory.fields import one_line, text, texts
from deadweight.inventory.model import RPM, Package
from deadweight.inventory.reader import Facts, Locator, Problem, first_fact
from deadweight.inventory.rpm.database import headers
from deadweight.inventory.rpm.header import package
from deadweight.inventory.rpm.pages import BrokenDatabase
from deadweight.layer.collect import Content, ContentGap, Fact, WholeOrNothing
from deadweight.tree.node import Tree

FOLDERS = ("var/lib/rpm", "usr/lib/sysimage/rpm")
NAMES = ("rpmdb.sqlite", "Packages.db", "Packages")
DATABASES = tuple(f"{folder}/{name}" for folder in FOLDERS for name in NAMES)

_WORD = re.compile(r"[^\s()]+(?:\([^\s()]*\))*")
_VERSION = re.compile(r"\s[<>=]+\s+[^\s()]+")
_OPERATORS = frozenset({"and", "or", "if", "else", "unless", "with", "without"})


class RpmCollector(WholeOrNothing):
    """Collects what is used of each package's header."""

    name = "rpm"
    version = 1
    names = frozenset(NAMES)
    suffixes: frozenset[str] = frozenset()
    magics: frozenset[bytes] = frozenset()
    limit = 128 << 20

    def wants(self, path: str, size: int) -> bool:
        return path.rpartition("/")[0].endswith(("lib/rpm", "lib/sysimage/rpm"))

    def collect(self, path: str, content: Content) -> Fact:
        """``packages``, and ``problem`` where not all could be read."""
        if content.size > self.limit:
            return {"problem": f"is larger than the {self.limit} bytes that are read"}
        packages: list[Fact] = []
        fact: dict[str, Fact] = {"packages": packages}
        try:
            for header in headers(content):
                try:
                    packages.append(package(header))
                except BrokenDatabase as error:
                    fact["problem"] = str(error)
        except (BrokenDatabase, ContentGap) as error:
            fact["problem"] = str(error)
        return fact


class RpmReader:
    """Reads the packages of rpm."""

    collector = RpmCollector()
    collectors = (collector,)

    def read(self, tree: Tree, facts: Facts) -> Iterator[Package | Problem]:
        """The packages of the first database there is. rpm records no wish: `Package.wanted` is unknown."""
        found = first_fact(tree, facts, self.collector, DATABASES)
        if found is None:
            return
        source, fact = found
        if "problem" in fact:
            yield Problem(source, text(fact, "problem"))
        log = tree.find(source + "-wal")
        if log is not None and log.entry.size:
            yield Problem(
                log.path, "was not merged into the database: packages may be missing or out of date"
            )
        packages = fact.get("packages")
        records = [item for item in packages if isinstance(item, dict)] if isinstance(packages, list) else []
        required = {name for record in records for name in texts(record, "requires") if name.startswith("/")}
        locator = Locator(tree)
        for record in records:
            if one_line(record.get("name")):
                yield _package(record, source, locator, required)


def _package(record: Mapping[str, Fact], source: str, locator: Locator, required: set[str]) -> Package:
    """`required` are files that packages need by path: who has one provides it."""
    files = text(record, "files").split("\n")
    name = one_line(record.get("name"))
    return Package(
        ecosystem=RPM,
        name=name,
        version=one_line(record.get("version")),
        source=source,
        paths=locator.owned(files),
        architecture=one_line(record.get("architecture")),
        origin=text(record, "source").removesuffix(".src.rpm").rsplit("-", 2)[0],
        license=one_line(record.get("license")),
        requires=tuple(_alternatives(texts(record, "requires"))),
        provides=(*texts(record, "provides"), *sorted(required.intersection(files))),
    )


def _alternatives(names: list[str]) -> Iterator[tuple[str, ...]]:
    """Requirements on packages. All that a boolean one names (rpm, "Boolean Dependencies") count as its alternatives."""
    for name in names:
        if name.startswith("("):
            words = (word for word in _WORD.findall(_VERSION.sub(" ", name)) if word not in _OPERATORS)
            yield tuple(dict.fromkeys(words))
        elif not name.startswith("rpmlib("):
            yield (name,)
