"""What an original has and what was made of it has not, with sums."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from deadweight.image import AS_DOCKER_WOULD
from deadweight.indexing import NO_CACHE, SILENT, Cache, Progress
from deadweight.oci.descriptor import Platform
from deadweight.slimming.pair import open_pair
from deadweight.slimming.result import Measure
from deadweight.slimming.selection import Removal
from deadweight.slimming.subject import Subject
from deadweight.transport.base import Access
from deadweight.tree.merge import LIVE

FOLDER_DEPTH = 2
"""How many names the directories have that are added up."""


@dataclass(frozen=True, slots=True)
class Sum:
    """All that goes of one owner, directory or class."""

    name: str
    files: int
    """Names of all but directories."""
    unpacked: int


@dataclass(frozen=True, slots=True)
class RemovedResult:
    """Two images compared."""

    original: str
    slimmed: str
    level: str
    """The level at which it was slimmed; empty where it does not say."""
    before: Measure
    after: Measure
    removals: tuple[Removal, ...]
    """The largest first; with an empty class where it cannot be told."""
    rewritten: tuple[str, ...]
    """Package databases that say what is left."""
    dead: int
    """Unpacked bytes that no container saw, and that are gone too."""

    @property
    def unpacked(self) -> int:
        """The unpacked bytes of all that a container could see."""
        return sum(removal.unpacked for removal in self.removals)

    def by_owner(self) -> list[Sum]:
        """Sums by ``ecosystem:name``, empty for what no package owns; the largest first."""
        return sums(self.removals, lambda removal: removal.owner)

    def by_folder(self) -> list[Sum]:
        """Sums by directory, such as ``usr/share``."""
        return sums(self.removals, lambda removal: folder_of(removal.path))

    def by_kind(self) -> list[Sum]:
        """Sums by class."""
        return sums(self.removals, lambda removal: removal.kind)


def removed(
    original: str,
    slimmed: str,
    *,
    platform: Platform | None = None,
    access: Access = AS_DOCKER_WOULD,
    cache: Cache = NO_CACHE,
    progress: Progress = SILENT,
) -> RemovedResult:
    """All that is in the image `original` and not in `slimmed`. Only the two are needed, no record.

    Raises `UsageError` where `slimmed` was not made of `original`, and `DeadweightError`.
    """
    with open_pair(
        original, slimmed, platform=platform, access=access, cache=cache, progress=progress
    ) as pair:
        before, after = pair.original, pair.slimmed
        return RemovedResult(
            original=before.image.reference,
            slimmed=after.image.reference,
            level=pair.level,
            before=before.measure(),
            after=after.measure(),
            removals=tuple(sorted(pair.removals(), key=lambda one: (-one.unpacked, one.path))),
            rewritten=pair.rewritten,
            dead=_dead(before) - _dead(after),
        )


def _dead(subject: Subject) -> int:
    classes = subject.view.ledger.classes()
    return sum(classes.values()) - classes[LIVE]


def folder_of(path: str) -> str:
    """The first names of the directory that `path` is in; empty for the root."""
    return "/".join(path.split("/")[:-1][:FOLDER_DEPTH])


def sums(removals: Iterable[Removal], key: Callable[[Removal], str]) -> list[Sum]:
    """`removals` added up by `key`, the largest first."""
    found: dict[str, tuple[int, int]] = {}
    for removal in removals:
        files, unpacked = found.get(key(removal), (0, 0))
        found[key(removal)] = files + 1, unpacked + removal.unpacked
    added = [Sum(name, *counted) for name, counted in found.items()]
    return sorted(added, key=lambda one: (-one.unpacked, one.name))
