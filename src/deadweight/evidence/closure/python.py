"""What Python needs: of its standard library what is imported, of distributions all that is in them.

A module is looked for where the environments do that are in use: those whose interpreter, or library, is needed. What code
imports by names that it computes is kept where the code tells the beginning of the name, or names it elsewhere as a string.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from deadweight.evidence.closure.python_claims import Follow
from deadweight.evidence.closure.python_distributions import (
    Distributions,
    is_test,
    site_of,
    test_folder,
    whole,
)
from deadweight.evidence.closure.python_knowledge import python_knowledge
from deadweight.evidence.closure.python_modules import Finder
from deadweight.evidence.closure.python_paths import (
    MAX_ENVIRONMENTS,
    Environment,
    Library,
    find_environments,
    started_by,
)
from deadweight.evidence.closure.python_place import Place
from deadweight.evidence.closure.python_source import Source, Sources
from deadweight.evidence.closures import Quiet
from deadweight.evidence.company import SYSTEM
from deadweight.evidence.model import Claim
from deadweight.evidence.scene import Scene
from deadweight.inventory.model import PYTHON, Package
from deadweight.tree.node import Node

START = "python-start"
ENVIRONMENT = "python-environment"
DISTRIBUTION = "python-distribution"
REQUIRES = "python-requires"
ENTRY_POINT = "python-entry-point"
BYTECODE = "python-bytecode"
ARCHIVE = "python-archive"

_ARCHIVES = (".pyz", ".pyzw", ".pex", ".egg", ".shiv")
"""Programs as zip files (PEP 441), and zipped eggs."""
_MODULE = (".py", ".pyc", ".so")
_SITE = re.compile(r"(?:^|/)(?:site|dist)-packages/")


class PythonClosure:
    """Knows what Python's modules, distributions and interpreters need."""

    name = "python"

    def open(self, scene: Scene) -> PythonFollower:
        return PythonFollower(scene)


class PythonFollower(Quiet):
    """Follows the Python of one image."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._knowledge = python_knowledge()
        self._distributions = Distributions(scene)
        self._environments: dict[Library, list[Environment]] = {}
        self._unread: list[str] = []
        found = find_environments(scene, self._distributions.sites())
        for environment in found[MAX_ENVIRONMENTS:]:
            self._unread.append(
                f"{environment.prefix}: one of more than {MAX_ENVIRONMENTS} environments, not looked into"
            )
        for environment in found[:MAX_ENVIRONMENTS]:
            self._environments.setdefault(environment.library, []).append(environment)
        self._libraries = tuple(f"{library.path}/" for library in self._environments)
        self._places: list[Place] = []
        self._running: set[Library] = set()
        self._entered: set[str] = set()
        self._asked: set[str] = set()
        self._waiting: list[Node] = []
        """Files that no environment finds, the application's own: a Python that is needed later may run them too."""
        self._sources = Sources(scene)
        self._follow = Follow(scene)

    @property
    def problems(self) -> Iterable[str]:
        return [*self._sources.problems, *self._follow.problems, *self._unread]

    def roots(self) -> Iterable[Claim]:
        """Nothing: it waits until an interpreter is needed."""
        return ()

    def decides(self, node: Node, owner: Package | None) -> bool:
        """True for standard libraries, for what distributions of packages bring, and for what was compiled."""
        path = node.path
        if node.name.endswith(".pyc") and node.parent is not None and node.parent.name == "__pycache__":
            return True
        site = _SITE.search(path) is not None
        if owner is None or owner.ecosystem == PYTHON:
            return owner is not None or (not site and path.startswith(self._libraries))
        return path.endswith(_MODULE) if site else path.startswith(self._libraries)

    def follow(self, node: Node) -> Iterator[Claim]:
        if not node.is_file or not self._environments:
            return
        for library in self._starts(node):
            yield from self._start(library)
        places = [place for place in self._places if place.package_of(node) is not None]
        if not places:
            self._waiting.append(node)
        if self._places:
            yield from self._read(node, places or self._places)
            yield from self._company(node)

    def _read(self, node: Node, places: Sequence[Place]) -> Iterator[Claim]:
        """What the source in `node` needs in `places`, if it is one."""
        if node.name.endswith(_ARCHIVES):
            yield from self._all(node)
        source = self._sources.source(node)
        if source is None:
            return
        for place in places:
            yield from self._in(place, source)
        finders = {place.environment.library: place.finder for place in places}
        for finder in finders.values():
            for compiled in finder.bytecode(node):
                because = "it was compiled from this file, and makes the start faster"
                yield Claim(compiled.path, BYTECODE, because)

    def _all(self, node: Node) -> Iterator[Claim]:
        """All of the standard library, because what an archive imports is not known."""
        self._unread.append(
            f"{node.path}: is not looked into; all of the standard library is kept for what it may import"
        )
        for place in self._places:
            library = place.environment.library
            for below in self._scene.below(library.path):
                inside = below.path[len(library.path) :]
                if "-packages/" not in inside and not inside.endswith(".pyc") and not is_test(inside[1:], ""):
                    yield Claim(below.path, ARCHIVE, f"{node.path} may import it")

    def _starts(self, node: Node) -> Iterable[Library]:
        """The libraries that are needed with `node`, and were not before."""
        home = self._scene.environment.get("PYTHONHOME", "")
        found = started_by(node, self._environments, home) if node.path in self._scene.elf_files else ()
        if not found and node.path.startswith(self._libraries):
            found = tuple(one for one in self._environments if node.path.startswith(f"{one.path}/"))
        return [library for library in found if library not in self._running]

    def _start(self, library: Library) -> Iterator[Claim]:
        """What interpreters with `library` need, and what was waiting for one."""
        self._running.add(library)
        finder = Finder(self._scene, library.tag)
        for environment in self._environments[library]:
            packages = self._distributions.within(environment.roots)
            groups = self._distributions.groups(packages.values())
            place = Place(self._scene, environment, finder, self._knowledge, packages, groups)
            self._places.append(place)
            for path in environment.files:
                yield Claim(
                    path,
                    ENVIRONMENT,
                    f"Python {library.version} reads it to find the modules in {environment.prefix}",
                )
            for root in environment.roots:
                yield Claim(root, ENVIRONMENT, f"Python {library.version} looks for modules there")
            for path in environment.pth:
                if path.rpartition("/")[2] not in self._knowledge.quiet_pth:
                    yield Claim(path, ENVIRONMENT, f"Python {library.version} reads it when it starts")
            for need in self._knowledge.start:
                yield from place.need(need)
            for source in self._sources.config():
                yield from self._in(place, source)
            for node in self._waiting:
                yield from self._read(node, [place])
                yield from self._company(node)

    def _in(self, place: Place, source: Source) -> Iterator[Claim]:
        yield from self._follow.claims(place, source)
        for group in source.groups(place.groups):
            for package in place.groups[group]:
                yield from self._ask(
                    package, ENTRY_POINT, f"{package.name} offers {group}, which {source.label} asks for"
                )

    def _ask(self, package: Package, rule: str, because: str) -> Iterator[Claim]:
        """That the distribution is needed: claimed by what describes it, and whole when that is followed."""
        if package.source not in self._asked:
            self._asked.add(package.source)
            yield Claim(package.source, rule, because)

    def _company(self, node: Node) -> Iterator[Claim]:
        """What stays with `node`, if it is a module of a distribution or describes one that was asked for."""
        package = self._distributions.of(node.path)
        owner = self._scene.owner(node.path)
        if package is not None and self._brings_all(package, node):
            yield from self._enter(package)
            yield from self._tests(package, node)
        if owner is not None and owner.ecosystem in SYSTEM and _is_module(node.path):
            yield from self._enter_system(owner)

    def _brings_all(self, package: Package, node: Node) -> bool:
        if node.path == package.source:
            return node.path in self._asked
        return node.path.startswith(site_of(package) + "/") and not _is_metadata(node.path)

    def _enter(self, package: Package) -> Iterator[Claim]:
        site = site_of(package)
        if package.source in self._entered:
            return
        self._entered.add(package.source)
        places = [place for place in self._places if site in place.environment.roots]
        tags = {place.environment.library.tag for place in places}
        paths = list(whole(package, tags))
        for path in paths:
            yield Claim(path, DISTRIBUTION, f"it comes with {package.name}, which is imported")
        tops = {path[len(site) + 1 :].partition("/")[0] for path in paths if path.startswith(f"{site}/")}
        for place in places:
            place.wholes |= {top.partition(".")[0] for top in tops if self._is_all_of(site, top)}
            for name in sorted({name for names in package.requires for name in names}):
                other = place.packages.get(name)
                if other is not None:
                    yield from self._ask(other, REQUIRES, f"{package.name} requires it")

    def _tests(self, package: Package, node: Node) -> Iterator[Claim]:
        """The folder of tests that `node` is in: what is imported from one reads the data of the others."""
        site = site_of(package) + "/"
        if is_test(node.path, site):
            folder = test_folder(node.path, site) + "/"
            if folder not in self._entered:
                self._entered.add(folder)
                because = f"a module of {folder[:-1]} is imported"
                yield from (
                    Claim(path, DISTRIBUTION, because)
                    for path in package.paths
                    if path.startswith(folder) and not path.endswith(".pyc")
                )

    def _is_all_of(self, site: str, top: str) -> bool:
        """Whether `top` in `site` is one module, and no folder that several distributions share."""
        node = self._scene.resolve(f"{site}/{top}")
        if node is None or node.children is None:
            return top.endswith(_MODULE)
        return "__init__.py" in node.children

    def _enter_system(self, owner: Package) -> Iterator[Claim]:
        if owner.label in self._entered:
            return
        self._entered.add(owner.label)
        tags = {place.environment.library.tag for place in self._places}
        for path in self._distributions.modules_of(owner):
            if "/__pycache__/" not in path or any(f".{tag}." in path for tag in tags):
                yield Claim(path, DISTRIBUTION, f"it comes with {owner.name}, of which a module is imported")


def _is_module(path: str) -> bool:
    return path.endswith(_MODULE) and _SITE.search(path) is not None


def _is_metadata(path: str) -> bool:
    parts = path.split("/")
    return any(part.endswith((".dist-info", ".egg-info")) for part in parts)
