"""One environment that is in use: which modules have been reached in it, and what else is kept with each."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence

from deadweight.evidence.closure.python_knowledge import Knowledge, Need
from deadweight.evidence.closure.python_modules import Finder, Module
from deadweight.evidence.closure.python_paths import Environment
from deadweight.evidence.model import Claim
from deadweight.evidence.scene import Scene
from deadweight.inventory.model import Package
from deadweight.tree.node import Node

KNOWLEDGE = "python-knowledge"

_STANDARD = frozenset({*sys.stdlib_module_names, "distutils"})
_TESTS = frozenset({"test", "tests", "idle_test"})


class Place:
    """An environment, and what was reached in it."""

    def __init__(
        self,
        scene: Scene,
        environment: Environment,
        finder: Finder,
        knowledge: Knowledge,
        packages: Mapping[str, Package],
        groups: Mapping[str, Sequence[Package]],
    ) -> None:
        self.environment = environment
        self.finder = finder
        self.packages = packages
        self.groups = groups
        self.wholes: set[str] = set()
        """The top names of modules whose distribution is kept whole."""
        self._scene = scene
        self._knowledge = knowledge
        self._library = environment.library.path + "/"
        nodes = (scene.resolve(root) for root in environment.roots)
        self._directories = [node for node in nodes if node is not None and node.is_directory]
        self._roots = {node.path for node in self._directories}
        self._settled: set[str] = set()
        self.tops = self._site_tops()
        """The names of modules and packages in site directories."""

        library = [one for one in self._directories if (one.path + "/").startswith(self._library)]
        self.known = self.tops.union(finder.names(Module((), tuple(library)))) - {
            "test",
            "this",
            "antigravity",
        }
        """The names of all modules and packages that are in no package."""

    def _site_tops(self) -> frozenset[str]:
        sites = [
            one
            for one in self._directories
            if not (one.path + "/").startswith(self._library) or "-packages" in one.path
        ]
        return frozenset(name for site in sites for name in self.finder.names(Module((), (site,))))

    def is_standard(self, node: Node) -> bool:
        """Whether `node` is of the standard library."""
        return node.path.startswith(self._library) and "-packages/" not in node.path

    def parts(self, name: str, names: Iterable[str]) -> Iterator[str]:
        """The modules that `names`, imported from the package `name`, may be; empty for the package of no name."""
        if name.partition(".")[0] in self.wholes:
            names = [part for part in names if "test" in part or "test" in name]
        if not names:
            return
        module = self.find(name) if name else None
        if not name or (module is not None and module.directories):
            yield from (f"{name}.{part}" if name else part for part in names)

    def find(self, name: str) -> Module | None:
        return self.finder.find(name, self._directories)

    def is_new(self, name: str) -> bool:
        """Whether there is a module of that name which was not reached yet."""
        if name in self._settled:
            return False
        top = name.partition(".")[0]
        if top in self.wholes and "test" not in name:
            return False
        if self.find(name) is None and not self._needs(name, None):
            self._settled.add(name)
            # What is before the last dot may be a module all the same.
            return "." in name and self.is_new(name.rpartition(".")[0])
        return True

    def reach(self, name: str, rule: str, because: str) -> Iterator[Claim]:
        """What importing `name` loads: the module, and the packages that it is in."""
        parts = name.split(".")
        for count in range(1, len(parts) + 1):
            part = ".".join(parts[:count])
            if part in self._settled:
                continue
            self._settled.add(part)
            module = self.find(part)
            if module is not None:
                yield from self._load(module, rule, because)
            for need in self._needs(part, module):
                yield from self.need(need, part)
            if module is None:
                self._settled.add(name)
                return

    def reach_all(self, start: str, rule: str, because: str) -> Iterator[Claim]:
        """The same for all modules whose names begin with `start`."""
        package, _, stem = start.rpartition(".")
        module = self.find(package) if package else Module((), tuple(self._directories))
        if module is None or not (package or stem):
            return
        if package:
            yield from self.reach(package, rule, because)
        for name in self.finder.names(module):
            if name.startswith(stem) and name not in _TESTS:
                yield from self.reach(f"{package}.{name}" if package else name, rule, because)

    def need(self, need: Need, module: str = "") -> Iterator[Claim]:
        """What is known to come with `module`."""
        because = f"{module}: {need.because}" if module else need.because
        for name in need.modules:
            if name.endswith("*"):
                yield from self.reach_all(name[:-1], KNOWLEDGE, because)
            else:
                yield from self.reach(name, KNOWLEDGE, because)
        for path in need.paths:
            yield Claim(path, KNOWLEDGE, because)
            yield from (Claim(node.path, KNOWLEDGE, because) for node in self._scene.below(path))
        for name in need.programs:
            yield from program(self._scene, name, KNOWLEDGE, because)

    def _needs(self, name: str, module: Module | None) -> Sequence[Need]:
        """What is known to come with the module `name`: one that has no file may be built into the interpreter."""
        return self._knowledge.needs.get(name, ()) if module is not None or name in _STANDARD else ()

    def ignores(self, node: Node | None, name: str) -> bool:
        """Whether it is known that nothing is lost if the module in `node` cannot import `name`."""
        if node is None or not self.is_standard(node):
            return False
        module = f"{self.package_of(node)}.{node.name.partition('.')[0]}".lstrip(".")
        return name in self._knowledge.ignored.get(module, ())

    def package_of(self, node: Node) -> str | None:
        """The dotted name of the package that the directory of `node` is; empty for one that modules are looked for in.

        None for what lies outside.
        """
        names: list[str] = []
        directory = node.parent
        while directory is not None:
            if directory.path in self._roots:
                return ".".join(reversed(names))
            names.append(directory.name)
            directory = directory.parent
        return None

    def _load(self, module: Module, rule: str, because: str) -> Iterator[Claim]:
        for file in module.files:
            yield Claim(file.path, rule, because)
            for compiled in self.finder.bytecode(file):
                yield Claim(compiled.path, rule, because)
        for directory in module.directories:
            if (
                module.files
                and directory.path.startswith(self._library)
                and directory.path not in self._roots
            ):
                yield from (Claim(path, rule, because) for path in _data(directory))


def program(scene: Scene, name: str, rule: str, because: str) -> Iterator[Claim]:
    """A program, by the links that lead to it from its name."""
    found = scene.program(name, scene.execution.working_dir)
    if found is not None:
        places = [name] if name.startswith("/") else [f"{one}/{name}" for one in scene.search_path]
        path = next((path for path in places if scene.resolve(path) is found), found.path)
        yield Claim(path, rule, because)


def _data(package: Node) -> Iterator[str]:
    """What is in the directory of a package, and in those below that are no packages, and is no module."""
    left = [package]
    while left:
        for child in (left.pop().children or {}).values():
            if child.is_directory:
                if child.name != "__pycache__" and "__init__.py" not in (child.children or {}):
                    left.append(child)
            elif not child.name.endswith((".py", ".pyc", ".so")):
                yield child.path
