"""What stays without being reached itself: the application's own files, and the data of packages that are needed.

A program opens its data by paths that it puts together at run time, so what a package brings stays whole, but for what a
closure decides (libraries, programs, modules) and what is needless by its place (documentation, caches and the like). It is
not followed further than to what it takes to start: a script among the data of a package is started by hardly anybody.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Sequence

from deadweight.evidence.closures import Follower, Quiet
from deadweight.evidence.model import Claim
from deadweight.evidence.scene import Scene
from deadweight.inventory.model import APK, DEB, RPM, Package
from deadweight.layer.entry import SYMLINK
from deadweight.tree.node import Node

OWN = "own"
DATA = "package-data"
DEPENDENCY = "data-dependency"
ENABLED = "enabled"

SYSTEM = frozenset({APK, DEB, RPM})
"""The kinds of packages of distributions."""
PROGRAM_FOLDERS = ("bin", "sbin", "usr/bin", "usr/sbin", "usr/local/bin", "usr/local/sbin", "usr/games")
DATABASES = ("var/lib/dpkg/", "lib/apk/db/", "usr/lib/apk/db/", "var/lib/rpm/", "usr/lib/sysimage/rpm/")
"""Where package managers keep their books: they speak of what is there, and are written anew."""
DOCUMENTATION = "usr/share/doc/"
STATE = {
    "var/cache/debconf/": "debconf",
    "var/lib/apt/": "apt",
    "var/cache/apt/": "apt",
    "var/lib/pam/": "libpam-runtime",
    "var/lib/ucf/": "ucf",
    "var/lib/systemd/": "systemd",
}
"""Where scripts of packages keep what no package owns: it stays if something else of the package is needed."""


class Company(Quiet):
    """Remembers which packages are needed."""

    light = True

    def __init__(self, scene: Scene, followers: Sequence[Follower], needless: Container[str]) -> None:
        self._scene = scene
        self._followers = followers
        self._needless = needless
        self._entered: set[int] = set()
        self._providers = _providers(scene.inventory.packages)

    def roots(self) -> Iterator[Claim]:
        """What no package owns, but for links to what one does: those stay with what they lead to."""
        for node in self._scene.tree.leaves:
            if node.path.startswith(tuple(STATE)):
                continue
            if self._scene.owner(node.path) is None and self._stays(node, None):
                target = self._scene.resolve(node.path) if node.entry.kind == SYMLINK else node
                if target is not None and not target.is_directory and self._scene.owner(target.path) is None:
                    yield Claim(node.path, OWN, "no package owns it: it is the application's own")

    def follow(self, node: Node) -> Iterable[Claim]:
        """The data of the package that owns `node`, and that of packages of data which it depends on."""
        package = self._scene.owner(node.path)
        if package is None or package.ecosystem not in SYSTEM or id(package) in self._entered:
            return
        self._entered.add(id(package))
        yield from self._data(package, DATA, f"it comes with {package.name}, which is needed")
        yield from self._enabled(package)
        for folder in (folder for folder, name in STATE.items() if name == package.name):
            for state in self._scene.below(folder):
                yield Claim(state.path, DATA, f"it is state of {package.name}, which is needed")
        for name in sorted({name for names in package.requires for name in names}):
            for other in self._providers.get(name, ()):
                if id(other) not in self._entered and self._is_data(other):
                    because = f"{other.name} holds only data, and {package.name} depends on it"
                    claims = list(self._data(other, DEPENDENCY, because))
                    if _are_of_use(claims, other):
                        yield from claims

    def _enabled(self, package: Package) -> Iterator[Claim]:
        """What links that no package owns bring into the configuration of `package`: somebody enabled it so."""
        folders = {"/".join(path.split("/")[:2]) for path in package.paths if path.startswith("etc/")}
        for folder in sorted(folders - {"etc"}):
            for link in self._scene.below(folder):
                target = self._scene.resolve(link.path) if link.entry.kind == SYMLINK else None
                if target is None or not target.is_file or self._scene.owner(link.path) is not None:
                    continue
                owner = self._scene.owner(target.path)
                if owner is not None and self._stays(target, owner):
                    because = f"/{link.path} leads to it, where {package.name} has its configuration"
                    yield Claim(link.path, ENABLED, because)

    def _data(self, package: Package, rule: str, because: str) -> Iterator[Claim]:
        for path in package.paths:
            node = self._scene.tree.find(path)
            if node is not None and node.entry.kind != SYMLINK and self._stays(node, package):
                yield Claim(path, rule, because, light=True)

    def _stays(self, node: Node, owner: Package | None) -> bool:
        if node.path in self._needless or node.path.startswith(DATABASES):
            return False
        return not any(follower.decides(node, owner) for follower in self._followers)

    def _is_data(self, package: Package) -> bool:
        elf_files = self._scene.elf_files
        return not any(
            path in elf_files or path.rpartition("/")[0] in PROGRAM_FOLDERS for path in package.paths
        )


def _are_of_use(claims: Iterable[Claim], package: Package) -> bool:
    """Whether more than the licence of `package` is among them. A package of documentation alone is there for its licence."""
    paths = (claim.path for claim in claims)
    return any(not path.startswith(DOCUMENTATION) for path in paths) or all(
        path.startswith(DOCUMENTATION) for path in package.paths
    )


def _providers(packages: Iterable[Package]) -> dict[str, list[Package]]:
    """Name -> the packages of distributions that satisfy it."""
    found: dict[str, list[Package]] = {}
    for package in packages:
        if package.ecosystem in SYSTEM:
            for name in {package.name, *package.provides}:
                found.setdefault(name, []).append(package)
    return found
