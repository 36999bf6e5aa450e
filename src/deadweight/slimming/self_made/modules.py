"""Whether Python finds the modules of the distributions that are there, and imports those that a run has seen it import."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from deadweight.evidence.closure.python_distributions import Distributions, is_test, site_of
from deadweight.evidence.closure.python_paths import Environment, find_environments
from deadweight.evidence.company import SYSTEM
from deadweight.evidence.scene import Scene
from deadweight.inventory.model import Package
from deadweight.probe.observation import Failure
from deadweight.slimming.recorded import Recorded
from deadweight.slimming.selection import Known
from deadweight.slimming.self_made.probe import Lack, Questioned, SelfMadeProbe, script
from deadweight.trace.observed import Use

MAX_MODULES = 50_000
"""The most modules of one environment that are looked for."""
_FILE = re.compile(r"(\w+)(?:\.py|\.pyc|(?:\.[\w-]+)?\.so)", re.ASCII)
_COMPILED = re.compile(r"(\w+)\.[\w-]+(?:\.opt-\w+)?\.pyc", re.ASCII)
_NOT_IMPORTED = frozenset({"__main__", "site", "sitecustomize", "usercustomize", "test", "tests"})
_LOCAL = "/direct_url.json"
"""The file of a distribution that was installed from a folder or a repository (PEP 610): the application's own, mostly."""


def modules_probes(known: Known, recorded: Recorded) -> Iterator[SelfMadeProbe]:
    """Two for each Python that a run used."""
    distributions = Distributions(known.scene)
    for environment in find_environments(known.scene, distributions.sites()):
        program = _program(environment, known, recorded)
        if not program:
            continue
        packages = distributions.within(environment.roots).values()
        modules = {package.source: modules_of(package) for package in packages}
        if any(modules.values()):
            yield ModulesProbe(program, modules)
        seen = imported(
            recorded.observed.uses[Use.OPENED], environment, _Libraries(known.scene, distributions)
        )
        if seen:
            yield ImportsProbe(program, seen)


def _program(environment: Environment, known: Known, recorded: Recorded) -> str:
    """The path by which its interpreter is started, if a run used its standard library; empty if none did.

    Whether the interpreter was executed does not tell: the kernel starts that of a script without a call.
    """
    needed = known.evidence.reasons
    library = f"{environment.library.path}/"
    if not any(path.startswith(library) for path in recorded.observed.uses[Use.OPENED]):
        return ""
    if environment.files:
        if environment.files[0] not in needed:
            return ""
        paths = [path for path in environment.files if "/bin/" in path]
    else:
        paths = [f"{environment.prefix}/bin/python{environment.library.version}".lstrip("/")]
    for path in sorted(paths, key=len):
        node = known.scene.resolve(path)
        if node is not None and node.is_file and node.path in needed:
            return f"/{path}"
    return ""


@dataclass(frozen=True, slots=True)
class ModulesProbe:
    """Looks for modules without importing them."""

    program: str
    modules: Mapping[str, tuple[str, ...]]
    """Those of each distribution, by the path of what describes it: one that is gone is not asked about."""

    @property
    def name(self) -> str:
        return f"modules:{self.program}"

    def ask(self, image: Questioned) -> frozenset[Lack] | Failure:
        """The modules that are not found."""
        there = {
            name
            for source, names in self.modules.items()
            if image.tree.find(source) is not None
            for name in names
        }
        given = json.dumps(sorted(there)[:MAX_MODULES])
        said = image.run(image.own_command(self.program, "-c", script("find_modules.py")), given)
        if isinstance(said, Failure):
            return said
        names = _read(said)
        if not isinstance(names, list):
            return Failure(f"{self.program} printed no list of modules")
        return frozenset(Lack(self.program, str(name)) for name in names)


@dataclass(frozen=True, slots=True)
class ImportsProbe:
    """Imports modules of the standard library and of distributions, all in one process, in the order of their names."""

    program: str
    modules: tuple[str, ...]

    @property
    def name(self) -> str:
        return f"imports:{self.program}"

    def ask(self, image: Questioned) -> frozenset[Lack] | Failure:
        """The modules that cannot be imported, with what Python says."""
        given = json.dumps(self.modules)
        said = image.run(image.own_command(self.program, "-c", script("import_modules.py")), given)
        if isinstance(said, Failure):
            return said
        failed = _read(said)
        if not isinstance(failed, dict):
            return Failure(f"{self.program} printed no object of modules")
        return frozenset(Lack(self.program, str(name), str(why)) for name, why in failed.items())


def _read(said: str) -> object:
    try:
        return json.loads(said)
    except (ValueError, RecursionError):
        return None


def modules_of(package: Package) -> tuple[str, ...]:
    """The modules of a distribution, sorted, without those of its tests."""
    site = site_of(package)
    inside = [path for path in package.paths if path.startswith(f"{site}/") and not is_test(path, f"{site}/")]
    names = {name for path in inside if (name := module_name(path[len(site) + 1 :]))}
    return tuple(sorted(names))


def module_name(path: str) -> str:
    """The module whose file, source or not, is at `path` from a directory of modules; empty where it is none."""
    *folders, file = path.split("/")
    if folders[-1:] == ["__pycache__"]:
        folders.pop()
        match = _COMPILED.fullmatch(file)
    else:
        match = _FILE.fullmatch(file)
    if match is None or not all(part.isidentifier() for part in (*folders, match[1])):
        return ""
    return ".".join(folders if match[1] == "__init__" else [*folders, match[1]])


class _Libraries:
    """Tells whether a module is one of the standard library or of a distribution, or may be the application's own."""

    def __init__(self, scene: Scene, distributions: Distributions) -> None:
        self._scene = scene
        self._distributions = distributions

    def holds(self, path: str) -> bool:
        package = self._distributions.of(path)
        if package is not None:
            return not any(one.endswith(_LOCAL) for one in package.paths)
        owner = self._scene.owner(path)
        return owner is not None and owner.ecosystem in SYSTEM


def imported(opened: Iterable[str], environment: Environment, libraries: _Libraries) -> tuple[str, ...]:
    """The modules among the files that were `opened`, sorted, but for what may be the application's own."""
    standard = {environment.library.path, f"{environment.library.path}/lib-dynload"}
    roots = sorted(environment.roots, key=len, reverse=True)
    names = set()
    for path in opened:
        root = next((one for one in roots if path.startswith(f"{one}/")), None)
        if root is not None and (root in standard or libraries.holds(path)):
            names.add(module_name(path[len(root) + 1 :]))
    return tuple(sorted(name for name in names if name and not _NOT_IMPORTED.intersection(name.split("."))))
