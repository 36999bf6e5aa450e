"""Debian's packages: dpkg's status database, or the one file for each package of distroless images.

Formats: deb-control(5) and deb822(5) for paragraphs, dpkg-query(1) for states, Debian Policy 7.1 for dependencies.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from deadweight.inventory.fields import one_line, text
from deadweight.inventory.model import DEB, Package
from deadweight.inventory.reader import Facts, Locator, Problem, first_fact
from deadweight.layer.collect import Content, Fact, WholeOrNothing
from deadweight.tree.node import LinkLoop, Node, Tree

FOLDER = "var/lib/dpkg"
STATUS = (f"{FOLDER}/status",)
DIVERSIONS = (f"{FOLDER}/diversions",)
MARKS = ("var/lib/apt/extended_states",)

_FIELDS = frozenset(
    {
        "Package",
        "Status",
        "Version",
        "Architecture",
        "Source",
        "Depends",
        "Pre-Depends",
        "Provides",
        "Essential",
        "Conffiles",
        "Auto-Installed",
    }
)
_NOT_INSTALLED = "not-installed"
_REMOVED = "config-files"
_DEPENDENCY = re.compile(r"[\s(:\[<]")
"""What ends the name in ``name:any (>= 1) [amd64] <!nocheck>``."""


class DpkgCollector(WholeOrNothing):
    """Collects what dpkg and apt write down: paragraphs of those fields that are used, and lists as they stand."""

    name = "dpkg"
    version = 1
    names = frozenset({"status", "diversions", "extended_states"})
    suffixes = frozenset({"list", "md5sums"})
    magics = frozenset({b"Pack"})
    """The files in status.d begin with ``Package:`` and have any name."""
    limit = 32 << 20

    def wants(self, path: str, size: int) -> bool:
        folder, _, name = path.rpartition("/")
        if folder.endswith("/dpkg/info"):
            return name.endswith((".list", ".md5sums"))
        if folder.endswith("/dpkg/status.d"):
            return True
        return name in self.names and folder.endswith(("/dpkg", "/apt"))

    def collect(self, path: str, content: Content) -> Fact:
        """``paragraphs`` of a control file, ``text`` of any other, or ``problem``."""
        if content.size > self.limit:
            return {"problem": f"is larger than the {self.limit} bytes that are read"}
        data = content.read(0, content.size).decode("utf-8", "surrogateescape")
        if path.endswith((".list", ".md5sums", "diversions")):
            return {"text": data}
        paragraphs = [_paragraph(block) for block in data.split("\n\n")]
        return {"paragraphs": [fields for fields in paragraphs if one_line(fields.get("Package"))]}


class DpkgReader:
    """Reads the packages of dpkg."""

    collector = DpkgCollector()
    collectors = (collector,)

    def read(self, tree: Tree, facts: Facts) -> Iterator[Package | Problem]:
        """The packages of the status file, then those of status.d."""
        files = _Files(tree, facts, self.collector)
        yield from files.problems
        automatic = _automatic(first_fact(tree, facts, self.collector, MARKS))
        found = first_fact(tree, facts, self.collector, STATUS)
        if found is not None:
            source, fact = found
            yield from _problem(source, fact)
            for control in _paragraphs(fact):
                status = text(control, "Status")
                if status and not status.endswith(_NOT_INSTALLED):
                    yield _package(control, source, files.info(control), automatic)
        for node in _children(tree, f"{FOLDER}/status.d"):
            described = facts.of(self.collector, node)
            if isinstance(described, dict):
                yield from _problem(node.path, described)
                for control in _paragraphs(described):
                    yield _package(control, node.path, files.sums(node.name, control), automatic)


class _Files:
    """What the lists of a database say that each package owns."""

    def __init__(self, tree: Tree, facts: Facts, collector: DpkgCollector) -> None:
        self._texts: dict[str, str] = {}
        self.problems: list[Problem] = []
        for folder in ("info", "status.d"):
            for node in _children(tree, f"{FOLDER}/{folder}"):
                if node.name.endswith((".list", ".md5sums")):
                    fact = facts.of(collector, node)
                    if isinstance(fact, dict):
                        self._texts[node.name] = text(fact, "text")
                        self.problems += _problem(node.path, fact)
        self._locator = Locator(tree)
        self._diversions = _diversions(first_fact(tree, facts, collector, DIVERSIONS))

    def info(self, control: Mapping[str, Fact]) -> tuple[str, ...]:
        """The files of a package of the status file; a removed one keeps its configuration files only."""
        name, architecture = text(control, "Package"), text(control, "Architecture")
        configuration = _configuration(control)
        if text(control, "Status").endswith(_REMOVED):
            return self._locator.owned(self._placed(configuration, name))
        for stem in (name, f"{name}:{architecture}"):
            # Taken: no second paragraph of that name owns the same files again.
            listed = self._texts.pop(f"{stem}.list", None)
            if listed is not None:
                return self._locator.owned(self._placed(_listed(listed), name))
        for stem in (name, f"{name}:{architecture}"):
            sums = self._texts.pop(f"{stem}.md5sums", None)
            if sums is not None:
                return self._locator.owned(self._placed(_summed(sums) + configuration, name))
        return ()

    def sums(self, stem: str, control: Mapping[str, Fact]) -> tuple[str, ...]:
        """The files of a package that status.d has in a file named `stem`."""
        return self._locator.owned(_summed(self._texts.pop(f"{stem}.md5sums", "")) + _configuration(control))

    def _placed(self, paths: list[str], package: str) -> list[str]:
        """`paths` where they really lie: a diversion moves the file of every package but the diverting one."""
        diversions = self._diversions
        if diversions.keys().isdisjoint(paths):
            return paths
        return [
            diversions[path][0] if path in diversions and diversions[path][1] != package else path
            for path in paths
        ]


def _package(
    control: Mapping[str, Fact], source: str, paths: tuple[str, ...], automatic: frozenset[str]
) -> Package:
    name, architecture = one_line(control.get("Package")), one_line(control.get("Architecture"))
    removed = text(control, "Status").endswith(_REMOVED)
    depends = "" if removed else f"{text(control, 'Pre-Depends')},{text(control, 'Depends')}"
    provides = "" if removed else text(control, "Provides")
    mark = name if architecture == "all" else f"{name}:{architecture}"
    return Package(
        ecosystem=DEB,
        name=name,
        version=one_line(control.get("Version")),
        source=source,
        paths=paths,
        architecture=architecture,
        origin=one_line(control.get("Source")).partition(" ")[0] or name,
        requires=_alternatives(depends),
        provides=tuple(name for names in _alternatives(provides) for name in names),
        essential=text(control, "Essential") == "yes",
        wanted=mark not in automatic,
        removed=removed,
    )


def _paragraph(block: str) -> dict[str, Fact]:
    """The fields of one paragraph that are used; a continued line is added as it stands, after a line feed."""
    fields: dict[str, list[str]] = {}
    lines: list[str] | None = None
    for line in block.split("\n"):
        if line[:1] not in (" ", "\t"):
            field, _, value = line.partition(":")
            lines = fields.setdefault(field, [value.strip()]) if field in _FIELDS else None
        elif lines is not None:
            lines.append(line)
    return {field: "\n".join(lines) for field, lines in fields.items()}


def _paragraphs(fact: Mapping[str, Fact]) -> list[dict[str, Fact]]:
    found = fact.get("paragraphs")
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def _problem(path: str, fact: Mapping[str, Fact]) -> Iterator[Problem]:
    if "problem" in fact:
        yield Problem(path, text(fact, "problem"))


def _alternatives(depends: str) -> tuple[tuple[str, ...], ...]:
    """The names in a list of dependencies, without versions and architectures; each requirement once."""
    found = (
        tuple(_DEPENDENCY.split(name.strip(), maxsplit=1)[0] for name in requirement.split("|"))
        for requirement in depends.split(",")
    )
    return tuple(names for names in dict.fromkeys(found) if names != ("",))


def _configuration(control: Mapping[str, Fact]) -> list[str]:
    """The paths in Conffiles: each line is a path, its MD5 sum and perhaps ``obsolete``."""
    lines = text(control, "Conffiles").split("\n")
    return [line.strip().partition(" ")[0].removeprefix("/") for line in lines if line]


def _listed(paths: str) -> list[str]:
    """The paths in a list of dpkg, each on a line, without the slash that all begin with."""
    return ("\n" + paths.removesuffix("\n")).split("\n/")


def _summed(sums: str) -> list[str]:
    """The paths in the output of md5sum(1): 32 digits, two spaces, the path, which may begin with ``./``."""
    return [line[34:].removeprefix("./") for line in sums.split("\n") if len(line) > 34]


def _automatic(found: tuple[str, dict[str, Fact]] | None) -> frozenset[str]:
    """What apt marked as automatically installed: ``name:architecture``, and ``name`` for packages of all architectures."""
    marks = set()
    for paragraph in _paragraphs(found[1]) if found is not None else ():
        if text(paragraph, "Auto-Installed") == "1":
            name = text(paragraph, "Package")
            marks |= {name, f"{name}:{text(paragraph, 'Architecture')}"}
    return frozenset(marks)


def _diversions(found: tuple[str, dict[str, Fact]] | None) -> dict[str, tuple[str, str]]:
    """Path -> where it was moved, and the package that moved it (``:`` for the administrator)."""
    lines = text(found[1], "text").split("\n") if found is not None else []
    triples = zip(lines[0::3], lines[1::3], lines[2::3], strict=False)
    return {path.removeprefix("/"): (moved, package) for path, moved, package in triples}


def _children(tree: Tree, folder: str) -> list[Node]:
    try:
        node = tree.resolve(folder)
    except LinkLoop:
        return []
    return [child for _, child in sorted((node.children or {}).items())] if node is not None else []
