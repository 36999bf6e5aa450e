"""Go modules, from the build information that the Go linker puts into each program (Go's debug/buildinfo)."""

from __future__ import annotations

from collections.abc import Iterator

from deadweight.inventory import elf
from deadweight.inventory.fields import one_line, single_requirements
from deadweight.inventory.go_build import GoBuild, GoModule
from deadweight.inventory.model import GO, Package
from deadweight.inventory.reader import Facts, Problem
from deadweight.layer.collect import Fact
from deadweight.tree.node import Tree

STANDARD_LIBRARY = "stdlib"
UNVERSIONED = "(devel)"
"""The version of what was built from a working tree."""


class GoReader:
    """Reads what Go programs are built from."""

    collectors = (elf.COLLECTOR,)

    def read(self, tree: Tree, facts: Facts) -> Iterator[Package | Problem]:
        """For each program its main module, which owns it, and the modules and standard library linked into it, which own nothing.

        Hard links to one program are one program.
        """
        names: dict[tuple[int, int], list[str]] = {}
        programs: dict[tuple[int, int], Fact] = {}
        for node, fact in facts.nodes(elf.COLLECTOR):
            if isinstance(fact, dict) and "go" in fact:
                names.setdefault((node.layer, node.number), []).append(node.path)
                programs[node.layer, node.number] = fact
        for content, fact in programs.items():
            file = elf.of(fact)
            if file is not None and file.go is not None:
                yield from packages(file.go, tuple(names[content]))


def packages(build: GoBuild, paths: tuple[str, ...]) -> Iterator[Package]:
    """The packages of one program, which lies at `paths`."""
    linked = [(used.path, used.version) for used in map(_used, build.dependencies)]
    linked.append((STANDARD_LIBRARY, build.version))
    linked = [(name, one_line(version)) for path, version in linked if (name := one_line(path))]
    name, version = _main(build)
    if name:
        requires = single_requirements(name for name, _ in linked)
        yield Package(GO, name, version, paths[0], paths, requires=requires)
    for name, version in linked:
        yield Package(GO, name, version, paths[0])


def _main(build: GoBuild) -> tuple[str, str]:
    # A program that was built from single files has no module, only ``command-line-arguments`` as its path.
    main = _used(build.module) if build.module is not None else GoModule(build.path, "")
    return one_line(main.path), one_line(main.version)


def _used(module: GoModule) -> GoModule:
    """The module that was compiled. A replacement that is a directory says nothing, the module's own name does."""
    replacement = module.replacement
    if replacement is None or replacement.version in ("", UNVERSIONED):
        return module
    return replacement
