"""Packages that Node.js finds (package.json as npm documents it; "Loading from node_modules folders" in Node's manual).

A package is a directory in a ``node_modules`` directory, whoever put it there: npm, Yarn, pnpm with its store of links, or
Debian in ``/usr/share/nodejs``. It owns what is below it, except for the packages that it holds itself.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from deadweight.inventory.fields import Requirements, one_line, single_requirements, text, texts
from deadweight.inventory.model import NPM, Package
from deadweight.inventory.reader import Facts, Problem
from deadweight.layer.collect import Content, Fact, WholeOrNothing
from deadweight.tree.node import Node, Tree

DEBIAN = "usr/share/nodejs"
"""Where Debian's packages of Node.js modules are, which is in the search path of Debian's Node.js."""


class ManifestCollector(WholeOrNothing):
    """Collects name, version, licence and dependencies of the ``package.json`` at the root of a package."""

    name = "npm"
    version = 1
    names = frozenset({"package.json"})
    suffixes: frozenset[str] = frozenset()
    magics: frozenset[bytes] = frozenset()
    limit = 1 << 20

    def wants(self, path: str, size: int) -> bool:
        return bool(installed_as(path))

    def collect(self, path: str, content: Content) -> Fact:
        if content.size > self.limit:
            return {"problem": f"is larger than {self.limit} bytes"}
        try:
            return parse_manifest(content.read(0, content.size))
        except (ValueError, RecursionError) as error:
            return {"problem": f"is not valid JSON: {error}"}


COLLECTOR = ManifestCollector()


class NodeReader:
    """Reads the packages in every ``node_modules``."""

    collectors = (COLLECTOR,)

    def read(self, tree: Tree, facts: Facts) -> Iterator[Package | Problem]:
        """One package for each directory: the same one may be installed several times."""
        manifests: list[tuple[Node, dict[str, Fact]]] = []
        for node, fact in facts.nodes(COLLECTOR):
            if isinstance(fact, dict) and installed_as(node.path):
                if "problem" in fact:
                    yield Problem(node.path, text(fact, "problem"))
                else:
                    manifests.append((node, fact))
        roots = frozenset(id(node.parent) for node, _ in manifests)
        # However many hard links to one manifest there are, its requirements are listed once.
        contents = {id(fact): fact for _, fact in manifests}
        requires = {key: single_requirements(texts(fact, "requires")) for key, fact in contents.items()}
        for node, fact in manifests:
            if node.parent is not None:
                yield _package(node.path, fact, _owned(node.parent, roots), requires[id(fact)])


def installed_as(path: str) -> str:
    """The name by which ``require`` finds the package whose ``package.json`` is at `path`; empty if that is no package's root."""
    directory, _, manifest = path.rpartition("/")
    parent, _, name = directory.rpartition("/")
    if manifest != "package.json" or name.startswith((".", "@")):
        return ""
    above, _, scope = parent.rpartition("/")
    if scope.startswith("@"):
        parent, name = above, f"{scope}/{name}"
    return name if parent == DEBIAN or parent.rpartition("/")[2] == "node_modules" else ""


def parse_manifest(content: bytes) -> dict[str, Fact]:
    """What a ``package.json`` says. Raises `ValueError` or `RecursionError` for what is no JSON object."""
    manifest = json.loads(content)
    if not isinstance(manifest, dict):
        raise ValueError(f"a {type(manifest).__name__} where an object must be")
    fields: dict[str, Fact] = {
        "name": one_line(manifest.get("name")),
        "version": one_line(manifest.get("version")),
        "license": _license(manifest.get("license") or manifest.get("licenses")),
    }
    dependencies = manifest.get("dependencies")
    if isinstance(dependencies, dict):
        optional = manifest.get("optionalDependencies")
        optional = optional if isinstance(optional, dict) else {}
        required = [one_line(name) for name in dependencies if name not in optional]
        fields["requires"] = [name for name in required if name]
    return fields


def _package(
    path: str, fields: dict[str, Fact], paths: tuple[str, ...], requires: Requirements
) -> Package | Problem:
    found_as = one_line(installed_as(path))
    name = text(fields, "name") or found_as
    if not name:
        return Problem(path, "has no name")
    return Package(
        NPM,
        name,
        text(fields, "version"),
        path,
        paths,
        license=text(fields, "license"),
        requires=requires,
        provides=(found_as,) if found_as not in ("", name) else (),
    )


def _owned(directory: Node, roots: frozenset[int]) -> tuple[str, ...]:
    """The files below `directory`, those of packages below it left out: all packages together visit each file once."""
    paths = []
    stack = [directory]
    while stack:
        for child in (stack.pop().children or {}).values():
            if child.children is None:
                paths.append(child.path)
            elif id(child) not in roots:
                stack.append(child)
    paths.sort()
    return tuple(paths)


def _license(value: object) -> str:
    """An SPDX expression, or the old forms: an object with a type, or a list of such."""
    choices = value if isinstance(value, list) else [value]
    types = [one_line(choice.get("type") if isinstance(choice, dict) else choice) for choice in choices]
    return one_line(" OR ".join(filter(None, types)))
