"""Installed distributions and how they hang together: what a distribution brings, what it requires, what it offers.

Sources: the specifications of the PyPA "Recording installed projects", "Entry points" and "Dependency specifiers".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from deadweight.evidence.scene import Scene
from deadweight.inventory.model import PYTHON, Package

MAX_ENTRY_POINTS = 1 << 20
"""The most bytes of an entry_points.txt."""

_SITE = re.compile(r"(?:^|/)(?:site|dist)-packages/")
_SECTION = re.compile(r"\[\s*([^\]]*?)\s*\]")
_NOT_FOUND_BY_GROUP = frozenset({"console_scripts", "gui_scripts"})
_DOCUMENTATION = ("/share/man/", "/share/doc/")
_PROGRAMS = ("/bin", "/sbin")


class Distributions:
    """The distributions of an image by what is asked for."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._all = [package for package in scene.inventory.packages if package.ecosystem == PYTHON]
        self._by_source = {package.source: package for package in self._all}
        self._hidden = {
            path: package
            for package in self._all
            if (owner := scene.owner(package.source)) is not None and owner.ecosystem != PYTHON
            for path in package.paths
        }

    def of(self, path: str) -> Package | None:
        """The distribution that the file at the real path `path` belongs to, whoever else owns it."""
        owner = self._scene.owner(path)
        return owner if owner is not None and owner.ecosystem == PYTHON else self._hidden.get(path)

    def described_by(self, path: str) -> Package | None:
        """The distribution whose METADATA is at `path`."""
        return self._by_source.get(path)

    def sites(self) -> frozenset[str]:
        """The directories that distributions are installed in."""
        return frozenset(map(site_of, self._all))

    def within(self, roots: Iterable[str]) -> Mapping[str, Package]:
        """The distributions of an environment that looks for modules in `roots`, by normalised name: the first found."""
        places = {root: position for position, root in enumerate(roots)}
        found: dict[str, tuple[int, Package]] = {}
        for package in self._all:
            position = places.get(site_of(package))
            if position is not None and (package.name not in found or position < found[package.name][0]):
                found[package.name] = (position, package)
        return {name: package for name, (_, package) in found.items()}

    def groups(self, packages: Iterable[Package]) -> Mapping[str, Sequence[Package]]:
        """The groups of entry points that `packages` offer something in, with those that do."""
        found: dict[str, list[Package]] = {}
        for package in packages:
            for group in self._groups_of(package):
                found.setdefault(group, []).append(package)
        return found

    def _groups_of(self, package: Package) -> list[str]:
        metadata = package.source.rpartition("/")[0]
        node = self._scene.tree.find(f"{metadata}/entry_points.txt")
        if node is None or not metadata.endswith(("-info", "EGG-INFO")):
            return []
        text = self._scene.text(node, MAX_ENTRY_POINTS) or ""
        names = (match[1] for line in text.splitlines() if (match := _SECTION.fullmatch(line.strip())))
        return sorted(set(names) - _NOT_FOUND_BY_GROUP)

    def modules_of(self, package: Package) -> list[str]:
        """What a package of the system has in directories of modules: it stays whole, as a distribution does."""
        return [path for path in package.paths if _SITE.search(path)]


def site_of(package: Package) -> str:
    """The directory that the modules of a distribution are in."""
    metadata = package.source
    if not metadata.endswith(".egg-info"):  # a file in place of a directory
        metadata = metadata.rpartition("/")[0]
    return metadata.rpartition("/")[0]


def whole(package: Package, tags: Iterable[str]) -> Iterator[str]:
    """The paths of a distribution that stay with any module of it.

    What other Pythons compiled does not, nor tests, scripts and documentation: those have to be asked for.
    """
    wanted = tuple(f".{tag}." for tag in tags)
    site = site_of(package) + "/"
    for path in package.paths:
        if "/__pycache__/" in path and not any(tag in path for tag in wanted):
            continue
        if path.startswith(site):
            if not is_test(path, site):
                yield path
        elif not path.rpartition("/")[0].endswith(_PROGRAMS) and not any(
            part in f"/{path}" for part in _DOCUMENTATION
        ):
            yield path


def is_test(path: str, site: str) -> bool:
    """Whether a path below `site` is one of tests: in a folder of that name."""
    folders = path[len(site) :].split("/")[:-1]
    return "tests" in folders or "test" in folders


def test_folder(path: str, site: str) -> str:
    """The outermost folder of tests that `path` is in."""
    folders = path[len(site) :].split("/")
    first = min(folders.index(name) for name in ("tests", "test") if name in folders)
    return site + "/".join(folders[: first + 1])
