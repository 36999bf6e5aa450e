"""Node.js: the packages that an application names stay whole, with what they depend on; those that nothing reaches go."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet

from deadweight.accounting.programs import started
from deadweight.evidence.closure.node_names import imported, quoted, words
from deadweight.evidence.closure.node_packages import Packages, manifest_of, names_in
from deadweight.evidence.closures import Quiet
from deadweight.evidence.company import PROGRAM_FOLDERS
from deadweight.evidence.model import Claim
from deadweight.evidence.scene import Scene
from deadweight.inventory.model import NPM, Package
from deadweight.tree.node import Node

PACKAGE = "node-package"
DEPENDENCY = "node-dependency"
NAMED = "node-names-package"
IMPORTED = "node-imports-package"
MANIFEST = "node-manifest"
SCRIPT = "node-script"

RUNTIME = re.compile(r"(?:node|nodejs|bun|deno|electron|iojs)[\d.]*|libnode\.so[\d.]*")
"""Programs and libraries that run JavaScript. Where none is needed, JavaScript is what browsers are sent."""
_SOURCES = (".js", ".cjs", ".mjs", ".jsx", ".ts", ".cts", ".mts", ".tsx")
_SETTINGS = (".json", ".yml", ".yaml")
_MANIFESTS = frozenset({"package.json", "package-lock.json", "npm-shrinkwrap.json", ".package-lock.json"})
_TEST = re.compile(r"(?:^|/)(?:tests?|__tests__|__mocks__|spec|e2e)/|\.(?:test|spec|stories)\.\w+$")
"""An application's own tests, which nobody starts in a container. A package that only they name is needed by nothing else."""
_TOOL = re.compile(
    r"(?:\.([a-z][\w-]*?)rc(?:\.\w+)?|([a-z][\w-]*?)\.config\.\w+|(tsconfig)[\w.-]*\.json|(gulp|Grunt)file\.\w+)"
)
"""Settings by the tool that reads them."""
_TOOL_OF = {"tsconfig": "typescript", "Grunt": "grunt", "tailwind": "tailwindcss"}
_FOR_PEOPLE = re.compile(
    r"/(?:README|CHANGELOG|CHANGES|HISTORY|CONTRIBUTING|SECURITY|UPGRADING|MIGRATING)[\w.-]*\.(?:md|markdown|txt)$"
    r"|\.d\.[cm]?ts(?:\.map)?$|/\.github/",
    re.IGNORECASE,
)
"""Files of a package that only people read, or compilers: declarations of types."""
_RUNS_SCRIPTS = frozenset({"npm", "npx", "yarn", "yarnpkg", "pnpm", "pnpx", "bun", "corepack"})
_STARTED = ("start", "serve", "server", "prod", "production")
"""Scripts of a package.json that ``npm start`` and its like run, or that are called so by custom."""
MAX_SOURCE = 32 << 20


class NodeClosure:
    """Follows what Node.js runs."""

    name = "node"

    def open(self, scene: Scene) -> NodeFollower:
        return NodeFollower(scene)


class NodeFollower(Quiet):
    """Follows the JavaScript of one image, and decides about packages of Node."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._packages = Packages(scene)
        self._running = False
        self._waiting: list[Node] = []
        self._tools: dict[str, list[Node]] = {}
        self._entered: set[str] = set()
        self._names: set[tuple[str, str]] = set()

    def follow(self, node: Node) -> Iterator[Claim]:
        if not node.is_file:
            return
        if not self._running and RUNTIME.fullmatch(node.name) and node.path in self._scene.elf_files:
            self._running = True
            yield from self._configured()
            for waiting in self._waiting:
                yield from self._file(waiting)
            self._waiting.clear()
        if not self._concerns(node):
            return
        if self._running:
            yield from self._file(node)
        else:
            self._waiting.append(node)

    def decides(self, node: Node, owner: Package | None) -> bool:
        """Whether it is in a package of Node, or a module of Debian's."""
        if owner is None:
            return False
        return owner.ecosystem == NPM or self._packages.of(node.path) is not None

    def _concerns(self, node: Node) -> bool:
        if node.name.endswith((*_SOURCES, *_SETTINGS)):
            return True
        script = self._scene.scripts.get(node.path)
        if script is not None and RUNTIME.fullmatch(script.interpreter.rpartition("/")[2]):
            return True
        return bool(self._packages.by_directory) and self._packages.of(node.path) is not None

    def _configured(self) -> Iterator[Claim]:
        """What the config names: in arguments, in NODE_OPTIONS, and as scripts of the application."""
        execution = self._scene.execution
        directory = self._real(execution.working_dir)
        texts = [word for command in started(execution) for word in command]
        texts += self._scene.environment.values()
        for name in words("\n".join(texts)):
            yield from self._name(name, directory, NAMED, "the config names it")

    def _real(self, directory: str) -> str:
        node = self._scene.resolve(directory)
        return node.path if node is not None else ""

    def _file(self, node: Node) -> Iterator[Claim]:
        package = self._packages.of(node.path)
        directory = node.path.rpartition("/")[0]
        if package is not None:
            yield from self._enter(package, f"it is in {package.name}, which stays whole")
            if node.name.endswith(_SOURCES) and not _TEST.search(
                node.path, len(package.source) - len("package.json") - 1
            ):
                because = f"{node.path} imports it"
                yield from self._name_all(imported(self._text(node)), directory, IMPORTED, because)
        elif node.name == "package.json":
            yield from self._application(node, directory)
        elif not _TEST.search(node.path) and node.name not in _MANIFESTS:
            tool = self._tool(node)
            if tool:
                self._tools.setdefault(tool, []).append(node)
            else:
                yield from self._own(node, directory)

    def _own(self, node: Node, directory: str) -> Iterator[Claim]:
        """The application's own: any string in it may be the name of a package that it has loaded."""
        yield from self._name_all(quoted(self._text(node)), directory, NAMED, f"{node.path} names it")

    def _text(self, node: Node) -> str:
        return self._scene.text(node, MAX_SOURCE) or ""

    def _tool(self, node: Node) -> str:
        """The tool that reads the settings in `node`: an installed one that nothing has reached yet; else empty."""
        match = _TOOL.fullmatch(node.name)
        name = next(filter(None, match.groups()), "") if match is not None else ""
        name = _TOOL_OF.get(name, name)
        if not name or name in self._entered or not _of_tool(name, self._packages.names):
            return ""
        return "" if _of_tool(name, self._entered) else name

    def _application(self, node: Node, directory: str) -> Iterator[Claim]:
        """What an application's own manifest says that it depends on, and starts."""
        manifest = manifest_of(self._scene, node)
        keys = (
            "dependencies",
            "optionalDependencies",
            "peerDependencies",
            "bundleDependencies",
            "bundledDependencies",
        )
        for name in names_in(manifest, *keys):
            yield from self._name(name, directory, MANIFEST, "the application's package.json depends on it")
        imports = manifest.get("imports")
        if isinstance(imports, dict):
            yield from self._name_all(
                quoted(str(imports)), directory, MANIFEST, "its package.json imports it"
            )
        yield from self._scripts(manifest, directory)

    def _scripts(self, manifest: dict[str, object] | object, directory: str) -> Iterator[Claim]:
        """What the scripts start that npm and its like are asked for."""
        scripts = manifest.get("scripts") if isinstance(manifest, dict) else None
        if not isinstance(scripts, dict):
            return
        config = {
            word for command in started(self._scene.execution) for part in command for word in words(part)
        }
        if not config & _RUNS_SCRIPTS and not self._entered & _RUNS_SCRIPTS:
            return
        left = [name for name in scripts if name in config or name.startswith(_STARTED)]
        left += [f"{hook}{name}" for name in left for hook in ("pre", "post")]
        seen: set[str] = set()
        while left:
            name = left.pop()
            text = scripts.get(name)
            if name in seen or not isinstance(text, str):
                continue
            seen.add(name)
            for word in words(text):
                left.append(word)
                yield from self._command(word, directory, f"the script {name} of package.json names it")

    def _command(self, word: str, directory: str, because: str) -> Iterator[Claim]:
        path = self._packages.command(word, directory)
        if path is not None:
            yield Claim(path, SCRIPT, because)
            return
        for folder in (*self._scene.search_path, *PROGRAM_FOLDERS):
            node = self._scene.resolve(f"{folder}/{word}")
            if node is not None and node.is_file:
                yield Claim(f"{folder}/{word}", SCRIPT, because)
                return
        yield from self._name(word, directory, SCRIPT, because)

    def _name_all(self, names: Iterable[str], directory: str, rule: str, because: str) -> Iterator[Claim]:
        for name in names:
            if name.endswith(("-", "/")) and len(name) > 2:
                for longer in self._packages.beginning(name):
                    yield from self._name(longer, directory, rule, because)
            else:
                yield from self._name(name, directory, rule, because)

    def _name(self, name: str, directory: str, rule: str, because: str) -> Iterator[Claim]:
        """The package or module that `name` leads to from `directory`."""
        if name not in self._packages.known or (name, directory) in self._names:
            return
        self._names.add((name, directory))
        path = self._packages.find(name, directory)
        if path is not None:
            yield Claim(path, rule, because)

    def _enter(self, package: Package, because: str) -> Iterator[Claim]:
        """All of `package` that may be of use at run time, and what it depends on."""
        if package.source in self._entered:
            return
        self._entered |= {package.source, package.name, *package.provides}
        directory = package.source.rpartition("/")[0]
        for path in package.paths:
            if not _FOR_PEOPLE.search(path, len(directory)):
                yield Claim(path, PACKAGE, because)
        manifest = manifest_of(self._scene, self._scene.resolve(package.source))
        for name in names_in(manifest, "dependencies", "optionalDependencies", "peerDependencies"):
            yield from self._name(name, directory, DEPENDENCY, f"{package.name} depends on it")
        yield from self._settings_of(package)

    def _settings_of(self, package: Package) -> Iterator[Claim]:
        """What the settings name that waited for `package`."""
        for tool in [tool for tool in self._tools if _of_tool(tool, (package.name, *package.provides))]:
            for node in self._tools.pop(tool):
                yield from self._own(node, node.path.rpartition("/")[0])


def _of_tool(tool: str, names: Iterable[str] | AbstractSet[str]) -> bool:
    return any(name == tool or name.startswith(f"@{tool}/") for name in names)
