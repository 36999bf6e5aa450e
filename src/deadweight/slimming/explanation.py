"""One path after the other explained: from the evidence, the levels that were decided on it, and the layers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property
from typing import NamedTuple

from deadweight.accounting.findings.kinds import KINDS
from deadweight.evidence.company import DATABASES
from deadweight.evidence.model import Step
from deadweight.inventory.model import Package
from deadweight.layer.entry import SYMLINK
from deadweight.passes.databases.rewrite import rewrite_databases
from deadweight.passes.staying import staying
from deadweight.slimming.looking import Looked
from deadweight.slimming.selection import (
    BOOKS,
    DROPPED,
    LEVELS,
    LOSSLESS,
    UNREACHED,
    UNUSED_PACKAGE,
    Removal,
    select,
)
from deadweight.slimming.subject import Subject
from deadweight.tree.merge import merge
from deadweight.tree.node import Node

MAX_NAMES = 5
"""How many packages one reason names."""

_REASONS = {kind.id: kind.reason for kind in KINDS}


class Dead(NamedTuple):
    """A content that no container sees."""

    path: str
    layer: int
    """Its position, base first."""
    kind: str
    """Its class: superseded, restated or deleted."""
    hidden_by: int
    """The position of the layer that hid it."""
    unpacked: int


@dataclass(frozen=True, slots=True)
class Below:
    """What is below a directory."""

    files: int
    """Names that stay, all but directories."""
    unpacked: int
    """Content bytes that stay, each content once."""
    removals: tuple[Removal, ...]
    """What goes, sorted by path."""


@dataclass(frozen=True, slots=True)
class Why:
    """Why one path stays or goes."""

    path: str
    """From the root, without a leading slash; links in its parents are resolved."""
    visible: bool
    """Whether a container sees it; else only `dead` says something."""
    stays: bool
    because: str
    """A sentence for people."""
    chain: tuple[Step, ...] = ()
    """From the path back to a root, where evidence keeps it."""
    kind: str = ""
    """What removes it: that of a `Removal`; empty for what stays."""
    level: str = ""
    """The mildest level that removes it; empty for what stays."""
    link: str = ""
    """The target of a symbolic link, as it stands."""
    owner: str = ""
    """``ecosystem:name``; empty where no package owns it."""
    unpacked: int = 0
    below: Below | None = None
    """For a directory."""
    dead: tuple[Dead, ...] = ()
    """Further contents that the path, or what was below it, had in some layer."""


def dead_of(subject: Subject, path: str) -> tuple[Dead, ...]:
    """The dead contents at and below `path`, by layer."""
    found = []
    for layer, (index, fates) in enumerate(zip(subject.indexes, subject.view.merged.fates, strict=True)):
        for number, fate in sorted(fates.items()):
            entry = index.entries[number]
            if entry.path == path or entry.path.startswith(path + "/"):
                found.append(Dead(entry.path, layer, fate.kind, fate.layer, entry.size))
    return tuple(found)


class Explainer:
    """Explains paths of `subject` for one level; the first `base` layers stay as they are."""

    def __init__(self, subject: Subject, looked: Looked, level: str, base: int = 0) -> None:
        known = looked.known
        self._subject = subject
        self._base = base
        self._known = known
        self._owners = known.scene.inventory.owners
        levels = reversed(LEVELS[LEVELS.index(level) :])
        self._selections = {mild: select(mild, known) for mild in levels}
        self._selection = self._selections[level]
        self._written = self._rewritten(looked.databases)
        self._gone = {mild: {id(one) for one in found.packages} for mild, found in self._selections.items()}

    def hidden(self, path: str) -> Why:
        """Why `path`, which no container sees, goes."""
        because = "no container sees it: later layers changed or deleted it"
        dead = dead_of(self._subject, path)
        return Why(path, visible=False, stays=False, because=because, level=LOSSLESS, dead=dead)

    def shown(self, node: Node) -> Why:
        """Why `node` stays or goes."""
        path = node.path
        stays = not path or path in self._written
        level, kind = ("", "") if stays else self._removal(node)
        because = self._stays(node) if stays else self._goes(node, level, kind)
        owner = self._owners.get(path)
        return Why(
            path=path,
            visible=True,
            stays=stays,
            because=because,
            chain=self._known.evidence.chain(path) if stays else (),
            kind=kind,
            level=level,
            link=node.entry.link if node.entry.kind == SYMLINK else "",
            owner=owner.label if owner is not None else "",
            unpacked=node.entry.size if node.is_file else 0,
            below=self._below(node) if node.is_directory else None,
            dead=() if node.is_directory else dead_of(self._subject, path),
        )

    def _rewritten(self, databases: Mapping[str, bytes]) -> frozenset[str]:
        """What is written at the level: package databases have a say, and base layers."""
        subject, kept = self._subject, self._selection.kept
        merged = subject.view.merged
        books = rewrite_databases(
            subject.image,
            subject.indexes,
            merged,
            subject.view.inventory,
            lambda node: node.path in kept,
            self._base,
            databases,
        )
        base = merge(subject.indexes[: self._base]).tree if self._base else None
        left = staying(merged, books.kept, base, self._base)
        return frozenset({*left.leaves, *left.directories})

    def _removal(self, node: Node) -> tuple[str, str]:
        """The mildest level that removes `node`, and the kind; a directory has no kind."""
        if node.path in self._selection.kept:
            return self._selection.level, "" if node.is_directory else BOOKS
        for level, selection in self._selections.items():
            if node.path not in selection.kept:
                removal = self._removals[level].get(node.path)
                return level, removal.kind if removal is not None else ""
        raise LookupError(node.path)

    @cached_property
    def _removals(self) -> Mapping[str, Mapping[str, Removal]]:
        return {
            level: {removal.path: removal for removal in selection.removals}
            for level, selection in self._selections.items()
        }

    def _stays(self, node: Node) -> str:
        path, level = node.path, self._selection.level
        reason = self._known.evidence.reasons.get(path)
        if reason is not None:
            return reason.because
        if not node.is_directory and node.touched < self._base:
            return "it lies in a base layer, which is kept as it is"
        if node.is_directory:
            empty = all(below.is_directory for _, below in node.walk())
            return "nothing was in it: somebody may write into it" if empty else "it holds what stays"
        if level == LOSSLESS:
            return "level lossless leaves all that a container sees"
        if path.startswith(DATABASES):
            return "package managers keep their books there: they are written anew, and say what is left"
        owner = self._owners.get(path)
        if path not in self._selection.kept:
            return "its package stays whole: nothing can rewrite its database"
        if node.entry.kind == SYMLINK and (told := self._leads(node)):
            return told
        if owner is None:
            return "no package owns it, and nothing says that it is needless"
        return f"its package {owner.label} stays whole at this level: {self._package_stays(owner)}"

    def _leads(self, link: Node) -> str:
        """Why a symbolic link stays for what it leads to; empty where it does not."""
        target = self._known.scene.resolve(link.path)
        if target is None:
            return "what it leads to may be there when a container runs: a volume, or what a program makes"
        return "it leads to what stays" if target.is_directory or target.path in self._written else ""

    def _package_stays(self, package: Package) -> str:
        reached = next((path for path in package.paths if path in self._known.evidence.reasons), None)
        if reached is not None:
            return f"/{reached} is needed"
        gone = self._gone[self._selection.level]
        asking = [one.name for one in self._asking(package) if id(one) not in gone]
        if asking:
            return f"{_named(asking)} asks for it" if len(asking) == 1 else f"{_named(asking)} ask for it"
        return "the distribution says that every system needs it"

    def _goes(self, node: Node, level: str, kind: str) -> str:
        if kind == DROPPED:
            patterns = (one for one in self._known.drop if fnmatchcase("/" + node.path, one))
            return f"--drop {next(patterns)}"
        if kind == BOOKS:
            return "it speaks of a package that goes"
        owner = self._owners.get(node.path)
        if kind == UNUSED_PACKAGE and owner is not None:
            return f"nobody needs {owner.label}: {self._package_goes(owner, level)}"
        if kind == UNREACHED:
            kept = f"{owner.label} stays, but " if owner is not None else ""
            return f"{kept}no evidence leads to this file"
        if not kind:
            return "nothing that was in it stays"
        return _REASONS.get(kind, kind)

    def _package_goes(self, package: Package, level: str) -> str:
        text = "no evidence leads to any of its files"
        gone = self._gone[level]
        asking = list(self._asking(package))
        staying = [one.name for one in asking if id(one) not in gone]
        if staying:
            return f"{text}, though {_named(staying)} may ask for it by name"
        if asking:
            return f"{text}, and who asks for it goes too ({_named([one.name for one in asking])})"
        return f"{text}, and no package asks for it"

    def _asking(self, package: Package) -> Iterator[Package]:
        """The packages that require `package` by its name or by what it provides."""
        names = {package.name, *package.provides}
        for other in self._known.scene.inventory.packages:
            same = other.ecosystem == package.ecosystem and other is not package
            if same and any(name in names for alternatives in other.requires for name in alternatives):
                yield other

    def _below(self, directory: Node) -> Below:
        files = unpacked = 0
        seen: set[tuple[int, int]] = set()
        removals = []
        removed = self._removals[self._selection.level]
        for _, node in directory.walk():
            if node.is_directory:
                continue
            if node.path not in self._written:
                books = Removal(node.path, node.entry.size, BOOKS, "")
                removals.append(removed.get(node.path, books))
                continue
            files += 1
            if node.is_file and (node.layer, node.number) not in seen:
                seen.add((node.layer, node.number))
                unpacked += node.entry.size
        return Below(files, unpacked, tuple(sorted(removals)))


def _named(names: list[str]) -> str:
    several = sorted(set(names))
    more = len(several) - MAX_NAMES
    text = ", ".join(several[:MAX_NAMES])
    return f"{text} and {more} more" if more > 0 else text
