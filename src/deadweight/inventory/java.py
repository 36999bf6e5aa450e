"""Java archives and Java runtimes.

An archive is named by the Maven coordinates in it, else by its own name, which in Maven repositories is
``ARTIFACT-VERSION``; a version that both lack is in the manifest. Coordinates of others that were packed into it are
packages without files of their own; so are the archives in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from deadweight.inventory import jar
from deadweight.inventory.fields import one_line, text, texts
from deadweight.inventory.model import JAVA, Package
from deadweight.inventory.reader import Facts, Problem
from deadweight.layer.collect import Content, Fact, WholeOrNothing
from deadweight.tree.node import Node, Tree

_REPOSITORY_NAME = re.compile(r"(.+)-(\d[^-]*(?:-[A-Za-z][^-]*)*+)")
_RELEASE = re.compile(r'^([A-Z_]+)="?([^"\r\n]*)"?\r?$', re.MULTILINE)


class ReleaseCollector(WholeOrNothing):
    """Collects the version in the ``release`` file of a Java runtime (JEP 223 and 282 name its fields)."""

    name = "java-release"
    version = 1
    names = frozenset({"release"})
    suffixes: frozenset[str] = frozenset()
    magics: frozenset[bytes] = frozenset()
    limit = 64 << 10

    def wants(self, path: str, size: int) -> bool:
        return size <= self.limit

    def collect(self, path: str, content: Content) -> Fact:
        values = dict(_RELEASE.findall(content.read(0, content.size).decode("utf-8", "replace")))
        return one_line(values.get("JAVA_VERSION")) or None


RELEASES = ReleaseCollector()


class JavaReader:
    """Reads Java runtimes, and the archives that are no part of one."""

    collectors = (jar.COLLECTOR, RELEASES)

    def read(self, tree: Tree, facts: Facts) -> Iterator[Package | Problem]:
        """Runtimes own their directories, archives themselves. What was packed into archives owns nothing."""
        in_runtimes: set[str] = set()
        for runtime in _runtimes(tree, facts):
            yield runtime
            in_runtimes.update(runtime.paths)
        seen: set[int] = set()
        for path, fact in facts.live(jar.COLLECTOR):
            if path in in_runtimes or not isinstance(fact, dict):
                continue
            yield archive(path, fact)
            if id(fact) not in seen:  # else a hard link to one that was seen
                yield from packed_into(path, fact)
            seen.add(id(fact))


def archive(path: str, fact: dict[str, Fact]) -> Package | Problem:
    """The package that is the archive at `path`."""
    if "problem" in fact:
        return Problem(path, text(fact, "problem"))
    name, version = _found_in(path, fact)[0]
    if not name:
        return Problem(path, "has no name that a package could have")
    return Package(JAVA, name, version, path, (path,), license=text(fact, "license"))


def packed_into(path: str, fact: dict[str, Fact]) -> Iterator[Package | Problem]:
    """The packages in the archive at `path` that are not its own."""
    if unread := texts(fact, "unread"):
        names = ", ".join(unread[:3]) + (", ..." if len(unread) > 3 else "")
        yield Problem(path, f"parts of it could not be read, so that only names tell what they are: {names}")
    own, *others = _found_in(path, fact)
    inner = fact.get("inner")
    for part in inner if isinstance(inner, list) else ():
        if isinstance(part, dict):
            others += _found_in(text(part, "path"), part)
    for name, version in sorted(set(others) - {own}):
        if name:
            yield Package(JAVA, name, version, path)


def split_file_name(path: str) -> tuple[str, str]:
    """Artifact and version from the name of a file in a Maven repository; for other names no version."""
    stem = _stem(path)
    match = _REPOSITORY_NAME.fullmatch(stem)
    return (match[1], match[2]) if match else (stem, "")


def _found_in(path: str, fact: dict[str, Fact]) -> list[tuple[str, str]]:
    """Name and version of the archive that is called `path`, then those of others packed into it."""
    artifact, version = split_file_name(path)
    modules = []
    for line in texts(fact, "modules"):
        coordinates, _, module_version = line.partition(" ")
        modules.append((coordinates, module_version or version))
    stated = version or text(fact, "version")
    own = _own(path, stated, modules) or (artifact, stated)
    return [own, *(module for module in modules if module != own)]


def _own(path: str, version: str, modules: list[tuple[str, str]]) -> tuple[str, str] | None:
    """Which of the Maven coordinates in the archive at `path`, which says that it has `version`, are its own."""
    stem = _stem(path)
    for coordinates, module_version in modules:
        name = coordinates.rpartition(":")[2]
        # A classifier may follow the version; Debian has a hyphen where some artifacts have an underscore.
        names = (stem, split_file_name(path)[0])
        if f"{stem}-".startswith(f"{name}-{module_version}-") or name.replace("_", "-") in names:
            return coordinates, module_version
    if len(modules) == 1 and (not version or _release(version) == _release(modules[0][1])):
        return modules[0]
    return None


def _release(version: str) -> list[str]:
    """The first numbers of `version`: OSGi writes the others in its own way."""
    return re.findall(r"\d+", version)[:2]


def _stem(path: str) -> str:
    return one_line(path.rpartition("/")[2].rpartition(".")[0])


def _runtimes(tree: Tree, facts: Facts) -> Iterator[Package]:
    """The runtimes; one in another is a part of it."""
    taken: set[str] = set()
    outermost_first = sorted(facts.live(RELEASES), key=lambda found: len(found[0]))
    for path, version in outermost_first:
        directory, _, name = path.rpartition("/")
        home = tree.find(directory)
        programs = _programs(home)
        if home is None or name != "release" or "java" not in programs or path in taken:
            continue
        paths = sorted(below for below, node in home.walk() if node.children is None)
        taken.update(paths)
        yield Package(JAVA, "jdk" if "javac" in programs else "jre", str(version), path, tuple(paths))


def _programs(home: Node | None) -> dict[str, Node]:
    """What lies in ``bin`` below `home`."""
    directory = (home.children or {}).get("bin") if home is not None else None
    return (directory.children or {}) if directory is not None else {}
