"""Installed Ruby gems: the ``specifications`` that RubyGems writes (``Gem::Specification#to_ruby``), read as text, never run."""

from __future__ import annotations

import re
from collections.abc import Iterator

from deadweight.inventory.fields import one_line, single_requirements, text, texts
from deadweight.inventory.model import GEM, Package
from deadweight.inventory.reader import Facts, Locator, Problem
from deadweight.layer.collect import Content, Fact, WholeOrNothing
from deadweight.tree.node import LinkLoop, Node, Tree

_SPECIFICATION = re.compile(r"((?:[^/]+/)*)specifications/(default/)?([^/]+)\.gemspec")
_ASSIGNMENT = re.compile(r"\s*s\.(name|version|licenses?|files) = (.*)", re.DOTALL)
_DEPENDENCY = re.compile(r"\s*s\.add_(?:runtime_)?dependency\(\s*(?:%q<([^>]*)>|\"([^\"]*)\"|'([^']*)')")
# One without end matches too: were it no match, each quote in it would be tried again.
_STRING = re.compile(r'"((?:[^"\\]|\\.)*+)"?')
_NAME = re.compile(r"[A-Za-z0-9._-]+")


class SpecificationCollector(WholeOrNothing):
    """Collects name, version, licences and dependencies of a gem's specification; of a default gem also its files."""

    name = "gem"
    version = 1
    names: frozenset[str] = frozenset()
    suffixes = frozenset({"gemspec"})
    magics: frozenset[bytes] = frozenset()
    limit = 256 << 10

    def wants(self, path: str, size: int) -> bool:
        return _SPECIFICATION.fullmatch(path) is not None

    def collect(self, path: str, content: Content) -> Fact:
        if content.size > self.limit:
            return {"problem": f"is larger than {self.limit} bytes"}
        return parse_specification(content.read(0, content.size).decode("utf-8", "replace"))


COLLECTOR = SpecificationCollector()


class RubyReader:
    """Reads the gems of every gem directory."""

    collectors = (COLLECTOR,)

    def read(self, tree: Tree, facts: Facts) -> Iterator[Package | Problem]:
        """One package for each specification."""
        files = _Files(tree)
        for path, fact in facts.live(COLLECTOR):
            match = _SPECIFICATION.fullmatch(path)
            if match is None or not isinstance(fact, dict):
                continue
            if "problem" in fact:
                yield Problem(path, text(fact, "problem"))
                continue
            home, default, full_name = match[1].rstrip("/"), match[2], match[3]
            gem = f"{text(fact, 'name')}-{text(fact, 'version')}"
            if full_name != gem and not full_name.startswith(gem + "-"):
                yield Problem(path, f"is not named after its gem, {gem}")
                continue
            paths = [path, *files.of_gem(home, full_name)]
            if default:
                paths += files.of_default_gem(home, text(fact, "files"))
            yield Package(
                GEM,
                text(fact, "name"),
                text(fact, "version"),
                path,
                files.existing(paths),
                license=text(fact, "license"),
                requires=single_requirements(texts(fact, "requires")),
            )


def parse_specification(content: str) -> dict[str, Fact]:
    """What a specification says, or that it is none which RubyGems wrote."""
    values: dict[str, list[str]] = {}
    requires: list[Fact] = []
    old_rubygems = False
    for line in content.split("\n"):
        if line.strip() in ("else", "end"):
            # What stands between the two is for a RubyGems that does not tell runtime from development.
            old_rubygems = line.strip() == "else"
        elif match := _ASSIGNMENT.match(line):
            values.setdefault(match[1], _STRING.findall(match[2]))
        elif not old_rubygems and (match := _DEPENDENCY.match(line)):
            name = match[1] or match[2] or match[3] or ""
            if _NAME.fullmatch(name):
                requires.append(name)
    name, version = (one_line((values.get(field) or [""])[0]) for field in ("name", "version"))
    if not _NAME.fullmatch(name) or not version:
        return {"problem": "has no name or version in the form that RubyGems writes"}
    licenses = values.get("licenses") or values.get("license") or []
    return {
        "name": name,
        "version": version,
        "license": one_line(" OR ".join(licenses)),
        "requires": requires,
        "files": "\n".join(values.get("files", ())),
    }


class _Files:
    """Where gem directories keep the files of a gem. What several would claim goes to the first."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._locator = Locator(tree)
        self._extensions: dict[str, dict[str, list[Node]]] = {}
        self._libraries: dict[str, list[str]] = {}
        self._claimed: set[int] = set()

    def existing(self, paths: list[str]) -> tuple[str, ...]:
        return self._locator.owned(paths)

    def of_gem(self, home: str, full_name: str) -> Iterator[str]:
        """The files of the gem `full_name` (name, version and platform) in the gem directory `home`."""
        yield _join(home, f"build_info/{full_name}.info")
        yield _join(home, f"cache/{full_name}.gem")
        directories = [self._find(_join(home, f"{kind}/{full_name}")) for kind in ("gems", "doc")]
        directories += self._extensions_in(home).get(full_name, [])
        for directory in directories:
            if directory is not None and id(directory) not in self._claimed:
                self._claimed.add(id(directory))
                yield from (path for path, _ in directory.walk())

    def of_default_gem(self, home: str, files: str) -> Iterator[str]:
        """Where the files of a gem that comes with Ruby may be, one a line: among Ruby's own libraries.

        The gem directory is ``ruby/gems/VERSION``, the libraries are ``ruby/VERSION`` and, compiled, the directory in it
        that has ``rbconfig.rb``.
        """
        if id(files) in self._claimed:
            return  # the specification is a hard link to one that was seen
        self._claimed.add(id(files))
        for library in self._libraries_of(home):
            yield from (_join(library, file.removeprefix("lib/")) for file in files.split("\n"))

    def _extensions_in(self, home: str) -> dict[str, list[Node]]:
        """Full name -> directories in ``extensions/PLATFORM/RUBY``."""
        if (known := self._extensions.get(home)) is not None:
            return known
        found: dict[str, list[Node]] = {}
        for platform in _directories(self._find(_join(home, "extensions"))):
            for ruby in _directories(platform):
                for gem in _directories(ruby):
                    found.setdefault(gem.name, []).append(gem)
        self._extensions[home] = found
        return found

    def _libraries_of(self, home: str) -> list[str]:
        if (known := self._libraries.get(home)) is not None:
            return known
        gems, _, version = home.rpartition("/")
        library = self._find(_join(gems.rpartition("/")[0], version)) if gems.endswith("/gems") else None
        found = [library.path] if library is not None and library.children is not None else []
        found += [child.path for child in _directories(library) if "rbconfig.rb" in (child.children or ())][
            :1
        ]
        self._libraries[home] = found
        return found

    def _find(self, path: str) -> Node | None:
        try:
            return self._tree.find(path)
        except LinkLoop:
            return None


def _directories(node: Node | None) -> Iterator[Node]:
    children = node.children if node is not None else None
    return (child for child in (children or {}).values() if child.children is not None)


def _join(directory: str, path: str) -> str:
    return f"{directory}/{path}" if directory else path
