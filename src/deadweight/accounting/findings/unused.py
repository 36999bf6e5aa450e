"""Packages that nothing which the image starts, and no file that no package owns, leads to.

The claim rests on what can be read: the programs in the config, the libraries and interpreters of files, and the
dependencies that packages declare. A program that can start any other (a shell, a script's interpreter) weakens it; then
fewer packages are named, or none.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from deadweight.accounting.model import Cause, Finding, Item
from deadweight.accounting.programs import SHELLS, find_program, search_path, started
from deadweight.accounting.scripts import SCRIPTS, interpreter
from deadweight.accounting.view import View
from deadweight.inventory import elf
from deadweight.inventory.model import APK, DEB, RPM, Package
from deadweight.tree.node import LinkLoop

SYSTEMS = frozenset({APK, DEB, RPM})
_BIN = ("bin/", "sbin/", "usr/bin/", "usr/sbin/", "usr/local/bin/", "usr/local/sbin/")
_BY_CONVENTION = (
    "usr/share/zoneinfo/",
    "usr/share/ca-certificates/",
    "etc/ssl/",
    "etc/pki/",
    "usr/lib/locale/",
    "usr/share/mime/",
    "etc/mime.types",
    "usr/share/fonts/",
    "usr/share/terminfo/",
    "lib/terminfo/",
    "usr/lib/gconv/",
    "etc/services",
    "etc/protocols",
    "etc/passwd",
)
"""Programs open these without any dependency that says so."""


_INTERPRETERS = ("python3", "nodejs", "perl-base", "ruby", "php", "lua", "tcl", "openjdk", "guile", "busybox")
"""Packages whose programs run code that can start anything."""


class UnusedPackages:
    """Packages of the distribution that no chain of evidence leads to."""

    def find(self, view: View) -> Iterator[Finding]:
        """At most one finding; none where the claim could not be made."""
        packages = [package for package in view.inventory.packages if package.ecosystem in SYSTEMS]
        reach = _Reach(view, packages)
        if not packages or not reach.start():
            return
        unreached = [package for package in packages if _claimable(package, reach)]
        if unreached:
            finding = _finding(view, unreached, reach, len(packages))
            if finding is not None:
                yield finding


def _claimable(package: Package, reach: _Reach) -> bool:
    if package.label in reach.labels or package.essential:
        return False
    if any(path.startswith(_BY_CONVENTION) or "/libnss_" in path for path in package.paths):
        return False
    # A script or an interpreter can start any program that is found in PATH.
    return not (reach.open_ended and any(path.startswith(_BIN) for path in package.paths))


def _finding(view: View, unreached: list[Package], reach: _Reach, total: int) -> Finding | None:
    labels = {package.label for package in unreached}
    owners = view.inventory.owners
    items: list[Item] = []
    for file in view.files:
        owning = {owner.label if (owner := owners.get(name)) is not None else "" for name in file.names}
        if owning <= labels:
            items.append(view.item(file))
    reason = (
        f"{total - len(unreached)} of {total} packages are reached from the programs that the config starts and from files "
        f"that no package owns, through libraries, interpreters and declared dependencies. Nothing reached requires these."
    )
    if reach.open_ended:
        reason += " Scripts and interpreters are reached, so packages that bring a program are not named."
    finding = view.suspect(
        "unused-packages",
        "Packages that nothing reached requires",
        reason,
        "Do not install them: apt-get install --no-install-recommends; keep build tools in a build stage.",
        items,
    )
    return finding and replace(finding, causes=tuple(_with_evidence(finding.causes, reach)))


def _with_evidence(causes: Iterable[Cause], reach: _Reach) -> Iterator[Cause]:
    for cause in causes:
        requirers = sorted(reach.required_by.get(cause.package, ()))
        shown = ", ".join(requirers[:5]) + (" and others" if len(requirers) > 5 else "")
        detail = f"required only by {shown}" if requirers else "required by no installed package"
        if reach.wanted.get(cause.package):
            detail += "; it was asked for by name"
        yield replace(cause, detail=detail)


@dataclass
class _Reach:
    """What can be reached, and from where."""

    view: View
    packages: list[Package]

    def __post_init__(self) -> None:
        self.labels: set[str] = set()
        self.open_ended = False
        self.wanted = {package.label: package.wanted for package in self.packages}
        self.required_by: dict[str, set[str]] = defaultdict(set)
        self._elf = self.view.elf_facts
        self._scripts = dict(self.view.facts.live(SCRIPTS))
        self._providers = self._find_providers()
        self._libraries: dict[str, list[str]] = defaultdict(list)
        for path in self._elf:
            self._libraries[path.rpartition("/")[2]].append(path)
        self._directories = sorted(
            {path.rpartition("/")[0] for path in self._elf if ".so" in path and "/lib" in f"/{path}"}
        )
        self._seen: set[str] = set()

    def start(self) -> bool:
        """Follows every root; False where no claim can be made: nothing is started, or a shell is."""
        execution = self.view.config.execution
        path = search_path(execution)
        commands = list(started(execution))
        for command in commands:
            node = find_program(self.view.merged.tree, command[0], path, execution.working_dir or "/")
            if node is None or node.name in SHELLS:
                return False
            self._follow(node.path)
        if not commands:
            return False
        for file in self.view.files:
            for name in file.names:
                if name not in self.view.inventory.owners and (name in self._elf or name in self._scripts):
                    self._follow(name)
        for package in self.packages:
            if package.essential:
                self._package(package)
        return True

    def _follow(self, path: str) -> None:
        """`path` is reached: its owner, its interpreter, its libraries."""
        if path in self._seen:
            return
        self._seen.add(path)
        owner = self.view.inventory.owners.get(path)
        if owner is not None and owner.ecosystem in SYSTEMS:
            self._package(owner)
        line = self._scripts.get(path)
        if isinstance(line, str):
            self.open_ended = True
            name, searched = interpreter(line)
            places = search_path(self.view.config.execution) if searched else []
            node = find_program(self.view.merged.tree, name, places) if name else None
            if node is not None:
                self._follow(node.path)
        found = elf.of(self._elf.get(path))
        if found is not None:
            for library in (*found.needed, found.interpreter.rpartition("/")[2]):
                for place in self._libraries.get(library, ()) or self._linked(library):
                    self._follow(place)

    def _linked(self, library: str) -> list[str]:
        """Where links such as ``libx.so.1 -> libx.so.1.2`` beside other libraries lead to."""
        found = []
        for directory in self._directories:
            try:
                target = self.view.merged.tree.resolve(f"{directory}/{library}")
            except LinkLoop:
                continue
            if target is not None and target.path in self._elf:
                found.append(target.path)
        return found

    def _package(self, package: Package) -> None:
        """`package` is reached, and with it all that it requires."""
        stack = [package]
        while stack:
            one = stack.pop()
            if one.label in self.labels:
                continue
            self.labels.add(one.label)
            self.open_ended = self.open_ended or one.name.startswith(_INTERPRETERS)
            for alternatives in one.requires:
                for name in alternatives:
                    stack += self._providers.get(name, ())

    def _find_providers(self) -> dict[str, list[Package]]:
        providers: dict[str, list[Package]] = defaultdict(list)
        for package in self.packages:
            for name in {package.name, *package.provides}:
                providers[name].append(package)
        for package in self.packages:
            for alternatives in package.requires:
                for name in alternatives:
                    for provider in providers.get(name, ()):
                        if provider.label != package.label:
                            self.required_by[provider.label].add(package.name)
        return providers
