"""The result of a comparison: plain data that reports render. A `delta` is new minus old, in unpacked live bytes."""

from __future__ import annotations

from dataclasses import dataclass

from deadweight.oci.digest import Digest

ADDED = "added"
REMOVED = "removed"
CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class Sizes:
    """One image in numbers; `wire` is None where unknown."""

    reference: str
    digest: Digest
    wire: int | None
    unpacked: int
    live: int
    files: int
    packages: int


@dataclass(frozen=True, slots=True)
class FileChange:
    """A path whose content is another one, is new, or is gone."""

    path: str
    kind: str
    delta: int
    owner: str
    """``ecosystem:name`` of the package that owns it (in the new image, else in the old one); empty for none."""


@dataclass(frozen=True, slots=True)
class PackageChange:
    """A package that came, went, changed its version, or whose files changed."""

    label: str
    kind: str
    old_version: str
    new_version: str
    delta: int


@dataclass(frozen=True, slots=True)
class DirectoryChange:
    """A directory with what changed at and below it."""

    path: str
    delta: int
    files: int


@dataclass(frozen=True, slots=True)
class LayerChange:
    """A layer that only one of the images has. `kind` is `ADDED` or `REMOVED`; sizes are the layer's own."""

    kind: str
    position: int
    diff_id: Digest
    instruction: str
    wire: int | None
    unpacked: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """What changed between two images; every list is sorted by the size of its change, largest first."""

    old: Sizes
    new: Sizes
    packages: tuple[PackageChange, ...]
    directories: tuple[DirectoryChange, ...]
    layers: tuple[LayerChange, ...]
    shared_layers: int
    files: tuple[FileChange, ...]
    unowned: int
    """The part of the change of live bytes that no package owns."""


@dataclass(frozen=True, slots=True)
class SetSizes:
    """What a whole set of images takes in a registry: each layer once. `wire` is None where one is unknown."""

    wire: int | None
    unpacked: int
