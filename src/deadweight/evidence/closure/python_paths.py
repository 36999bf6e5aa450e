"""Where the Pythons of an image look for modules: standard libraries, site-packages, virtual environments, .pth files.

Sources: the documentation of ``site``, "The initialization of the sys.path module search path" and ``venv`` (PEP 405);
Modules/getpath.py of CPython; Debian's "Python Policy" for dist-packages.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from deadweight.evidence.scene import Scene
from deadweight.tree.node import Node

MAX_ENVIRONMENTS = 64
"""The most environments that are looked into: a name is looked for in each."""
MAX_ROOTS = 1000
"""The most directories that one environment looks in: every line of a .pth file can add one."""
MAX_PTH = 64 << 10
"""The most bytes of a .pth or pyvenv.cfg file: CPython reads .pth files line by line, and those are short."""

_LIBRARY = re.compile(r"(python|pypy)(\d+\.\d+)(t?)")
_SITE = re.compile(r"(?:^|/)(?:site|dist)-packages(?:/|$)")
_PROGRAM = re.compile(r"(?:python|pypy)(\d+(?:\.\d+)?)?t?(?:-[a-z]+)?")
_SHARED = re.compile(r"lib(?:python|pypy)(\d+(?:\.\d+)?)(?:-c)?t?[a-z]*\.so[.\d]*")


@dataclass(frozen=True, slots=True)
class Library:
    """One standard library."""

    path: str
    """The real path of its directory."""
    prefix: str
    """What was installed there, such as ``usr``; empty for the root."""
    version: str
    """Such as ``3.11``."""
    tag: str
    """What compiled files of it have in their names (PEP 3147), such as ``cpython-311``."""


@dataclass(frozen=True, slots=True)
class Environment:
    """A Python with the places where it finds modules: an installation, or a virtual environment of one."""

    library: Library
    prefix: str
    """Of the installation, or the directory with pyvenv.cfg."""
    roots: tuple[str, ...]
    """The real paths of directories (an entry may be a zip file) in the order of ``sys.path``."""
    files: tuple[str, ...] = ()
    """What the start reads or goes through: pyvenv.cfg, the links to the interpreter."""
    pth: tuple[str, ...] = field(default=())
    """The .pth files of its site directories."""


def find_environments(scene: Scene, sites: Iterable[str] = ()) -> tuple[Environment, ...]:
    """Every environment of the image, installations before virtual environments, sorted by library and prefix.

    In `sites` distributions are installed: what is no site directory there, a program may add to ``sys.path`` itself.
    """
    libraries, configurations = _look_around(scene)
    builder = _Builder(scene, sites)
    found = [builder.installation(library) for library in libraries]
    for path in configurations:
        found += builder.virtual(path, libraries)
    found.sort(key=_order)
    return tuple(found)


def _order(environment: Environment) -> tuple[bool, str, str]:
    library = environment.library
    return environment.prefix != library.prefix, library.path, environment.prefix


def started_by(node: Node, libraries: Iterable[Library], home: str = "") -> tuple[Library, ...]:
    """The libraries that the program or shared library `node` runs with; empty where it is no Python.

    An interpreter finds its library by its own place, or in `home`, the value of PYTHONHOME.
    """
    program = _PROGRAM.fullmatch(node.name)
    match = program or _SHARED.fullmatch(node.name)
    if match is None:
        return ()
    version = match[1] or ""
    known = [one for one in libraries if one.version == version or not version or one.version[:1] == version]
    directory = node.path.rpartition("/")[0]
    above = directory.rpartition("/")[0]
    homes = [part.strip("/") for part in home.split(":") if part]
    near = [
        one
        for one in known
        if one.prefix in (above, directory, *homes) or above.startswith(f"{one.prefix}/lib")
    ]
    return tuple(near or known)


def version_tag(kind: str, version: str) -> str:
    """What is in the names of files that were compiled for a version."""
    digits = version.replace(".", "")
    return f"cpython-{digits}" if kind == "python" else f"pypy{digits}"


def _look_around(scene: Scene) -> tuple[list[Library], list[str]]:
    """The standard libraries, and the paths of all pyvenv.cfg files."""
    libraries: dict[str, Library] = {}
    configurations = []
    for path, node in scene.tree.files.items():
        if node.name in ("os.py", "os.pyc"):
            library = _library(node.parent)
            if library is not None:
                libraries[library.path] = library
        elif node.name == "pyvenv.cfg":
            configurations.append(path)
    return [libraries[path] for path in sorted(libraries)], configurations


def _library(directory: Node | None) -> Library | None:
    if directory is None or directory.children is None:
        return None
    encodings = directory.children.get("encodings")
    if encodings is None or not encodings.children or not encodings.children.keys() & _INIT:
        return None
    match = _LIBRARY.fullmatch(directory.name)
    if match is None:
        return None
    prefix = directory.path.rpartition("/")[0].rpartition("/")[0]
    return Library(directory.path, prefix, match[2], version_tag(match[1], match[2]))


_INIT = frozenset({"__init__.py", "__init__.pyc"})


class _Builder:
    """Puts environments together."""

    def __init__(self, scene: Scene, sites: Iterable[str]) -> None:
        self._scene = scene
        self._last = sorted({site for site in sites if site and not _SITE.search(site)})
        environment = scene.environment
        self._first = self._paths(environment.get("PYTHONPATH", ""))
        self._user = self._paths(environment.get("PYTHONUSERBASE", "")) or list(self._homes())

    def installation(self, library: Library) -> Environment:
        sites = [*self._user_sites(library), *self._sites(library.prefix, library)]
        return self._environment(library, library.prefix, sites, ())

    def virtual(self, path: str, libraries: Iterable[Library]) -> Iterator[Environment]:
        """That of the pyvenv.cfg at `path`: one for each library that it may belong to."""
        node = self._scene.tree.find(path)
        settings = _settings(self._scene.text(node, MAX_PTH) or "") if node is not None else {}
        prefix = path.rpartition("/")[0]
        home = self._scene.resolve(settings.get("home", ""))
        for library in self._bases(prefix, home.path if home is not None else "", settings, libraries):
            sites = list(self._sites(prefix, library))
            if settings.get("include-system-site-packages", "").lower() == "true":
                sites += [*self._user_sites(library), *self._sites(library.prefix, library)]
            links = [
                child.path
                for child in self._children(f"{prefix}/bin")
                if _PROGRAM.fullmatch(child.name) and not child.is_directory
            ]
            more = [link for link in (f"{prefix}/lib64", f"{prefix}/local") if self._scene.tree.find(link)]
            yield self._environment(library, prefix, sites, (path, *links, *more))

    def _bases(
        self, prefix: str, home: str, settings: dict[str, str], libraries: Iterable[Library]
    ) -> list[Library]:
        written = settings.get("version_info") or settings.get("version") or ""
        fitting = [
            one for one in libraries if self._scene.resolve(f"{prefix}/lib/{_folder(one)}") is not None
        ]
        fitting = fitting or [one for one in libraries if (written + ".").startswith(one.version + ".")]
        near = [one for one in fitting if home == f"{one.prefix}/bin".strip("/")]
        return near or fitting

    def _environment(
        self, library: Library, prefix: str, sites: Iterable[str], files: tuple[str, ...]
    ) -> Environment:
        zipped = f"{library.prefix}/lib/python{library.version.replace('.', '')}.zip"
        roots = dict.fromkeys(self._first)
        if self._scene.tree.find(zipped) is not None:
            roots[zipped.strip("/")] = None
        roots.update(dict.fromkeys(self._existing([library.path, f"{library.path}/lib-dynload"])))
        pth: list[str] = []
        for site in dict.fromkeys(sites):
            roots[site] = None
            for child in self._children(site):
                file = self._scene.resolve(child.path) if child.name.endswith(".pth") else None
                if file is not None and file.is_file and not child.name.startswith("."):
                    pth.append(child.path)
                    roots.update(dict.fromkeys(self._added(site, file)))
        roots.update(dict.fromkeys(self._last))
        return Environment(library, prefix, tuple(roots)[:MAX_ROOTS], files, tuple(pth))

    def _added(self, site: str, pth: Node) -> list[str]:
        """The directories that a .pth file adds."""
        lines = (self._scene.text(pth, MAX_PTH) or "").splitlines()
        paths = [
            line.strip()
            for line in lines
            if line.strip() and not line.startswith(("#", "import ", "import\t"))
        ]
        return self._existing(
            path if path.startswith("/") else f"{site}/{path}" for path in paths[:MAX_ROOTS]
        )

    def _sites(self, prefix: str, library: Library) -> list[str]:
        """The site directories that exist below `prefix`, those of Debian and Fedora among them."""
        folder = _folder(library)
        local = "" if prefix.endswith("local") else "local/"
        candidates = [
            f"{prefix}/{inner}{lib}/{name}/{site}"
            for inner in dict.fromkeys((local, ""))
            for lib in ("lib", "lib64")
            for name in (folder, "python3")
            for site in ("site-packages", "dist-packages")
        ]
        return self._existing(candidates)

    def _user_sites(self, library: Library) -> list[str]:
        return self._existing(f"{base}/lib/{_folder(library)}/site-packages" for base in self._user)

    def _homes(self) -> Iterator[str]:
        """The bases of users' own sites (PEP 370), whoever they are."""
        homes = [
            self._scene.environment.get("HOME", ""),
            "root",
            *(node.path for node in self._children("home")),
        ]
        yield from (f"{home}/.local" for home in homes if home)

    def _paths(self, value: str) -> list[str]:
        working_dir = self._scene.execution.working_dir
        return self._existing(
            part if part.startswith("/") else f"{working_dir}/{part}" for part in value.split(":") if part
        )

    def _existing(self, paths: Iterable[str]) -> list[str]:
        """The real paths of those that are there, each once."""
        nodes = (self._scene.resolve(path) for path in paths)
        return list(dict.fromkeys(node.path for node in nodes if node is not None and node.path))

    def _children(self, path: str) -> list[Node]:
        node = self._scene.resolve(path)
        children = node.children if node is not None else None
        return [children[name] for name in sorted(children)] if children else []


def _folder(library: Library) -> str:
    return library.path.rpartition("/")[2]


def _settings(text: str) -> dict[str, str]:
    """The keys and values of a pyvenv.cfg."""
    found = {}
    for line in text.splitlines():
        key, equals, value = line.partition("=")
        if equals:
            found[key.strip().lower()] = value.strip()
    return found
