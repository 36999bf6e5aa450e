"""Java: a runtime that is needed stays whole, and so do all archives that are no part of a distribution's packages."""

from __future__ import annotations

import re
from collections.abc import Iterator

from deadweight.evidence.closures import Quiet
from deadweight.evidence.globs import matching
from deadweight.evidence.model import Claim
from deadweight.evidence.scene import Scene
from deadweight.inventory.model import JAVA, Package
from deadweight.tree.node import Node

WHOLE = "java-runtime"
ARCHIVE = "java-archive"
SETTINGS = "java-settings"

_PARTS = frozenset({"java", "libjvm.so", "javac", "jshell", "libjli.so"})
_FOR_BUILDING = (
    "/jmods/",
    "/include/",
    "/lib/src.zip",
    "/src.zip",
    "/man/",
    "/demo/",
    "/sample/",
    "/lib/ct.sym",
)
"""What of a JDK only jlink, compilers and people read (JEP 220; JEP 247 for ct.sym): what is not read by who runs a program."""
SETTINGS_OF = (
    "etc/java",
    "etc/java-*",
    "etc/.java",
    "etc/ssl/certs/java",
    "etc/pki/java",
    "etc/pki/ca-trust/extracted/java",
)
"""Settings and certificates that distributions keep outside the runtime, by links from it."""
_CACHES = re.compile(r"/\.(?:m2/repository|gradle/caches|ivy2)/")
_BUILDERS = frozenset({"mvn", "mvnw", "gradle", "gradlew", "sbt", "ant", "lein"})
_MAX_ABOVE = 6


class JavaClosure:
    """Follows Java."""

    name = "java"

    def open(self, scene: Scene) -> JavaFollower:
        return JavaFollower(scene)


class JavaFollower(Quiet):
    """Knows the runtimes and archives of one image."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._homes: set[str] = set()
        self._building = any(
            word.rpartition("/")[2] in _BUILDERS
            for word in (*scene.execution.entrypoint, *scene.execution.cmd)
        )

    def follow(self, node: Node) -> Iterator[Claim]:
        if node.name not in _PARTS or node.path not in self._scene.elf_files:
            return
        home = _home(node)
        if home is None or home.path in self._homes:
            return
        first = not self._homes
        self._homes.add(home.path)
        because = "a Java runtime stays whole: what it loads at run time is not derived"
        for path, child in home.walk():
            if not child.is_directory and not self._for_building(path):
                yield Claim(path, WHOLE, because)
        if first:
            yield from self._settings()
            yield from self._archives()

    def _settings(self) -> Iterator[Claim]:
        for pattern in SETTINGS_OF:
            for folder in matching(self._scene, pattern):
                for node in self._scene.below(folder):
                    yield Claim(node.path, SETTINGS, "Java finds its settings and certificates there")

    def _archives(self) -> Iterator[Claim]:
        """Archives, each of which is a package of its own: which of them a class path names is not derived."""
        for package in self._scene.inventory.packages:
            if package.ecosystem != JAVA or package.paths != (package.source,):
                continue
            if self._scene.owner(package.source) is package and (
                self._building or not _CACHES.search(package.source)
            ):
                yield Claim(package.source, ARCHIVE, "the class path of a Java program may name it")

    def _for_building(self, path: str) -> bool:
        return any(f"/{path}".startswith(f"/{home}{part}") for home in self._homes for part in _FOR_BUILDING)

    def decides(self, node: Node, owner: Package | None) -> bool:
        """Whether it is for who builds programs with a JDK."""
        if not any(part in f"/{node.path}" for part in _FOR_BUILDING):
            return False
        return _in_home(node) and owner is not None


def _home(node: Node) -> Node | None:
    """The directory of the outermost runtime that `node` is a part of."""
    found, above = None, node.parent
    for _ in range(_MAX_ABOVE):
        if above is None or not above.path:
            break
        if _is_home(above):
            found = above
        above = above.parent
    return found


def _is_home(directory: Node) -> bool:
    """Whether it looks like a runtime: ``release`` or ``lib/modules`` (JEP 220), or ``lib/rt.jar`` of Java 8."""
    children = directory.children or {}
    library = children.get("lib")
    inner = (library.children or {}) if library is not None else {}
    return "bin" in children and (
        "modules" in inner or "rt.jar" in inner or ("release" in children and bool(inner))
    )


def _in_home(node: Node) -> bool:
    above = node.parent
    while above is not None:
        if _is_home(above):
            return True
        above = above.parent
    return False
