"""The result of an analysis: plain data that reports render."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from deadweight.accounting.ledger import Ledger
from deadweight.inventory.model import Inventory, Package
from deadweight.oci.config import ImageConfig
from deadweight.oci.descriptor import Platform
from deadweight.oci.digest import Digest
from deadweight.tree.merge import Merged

DEAD = "dead"
SUSPECT = "suspect"

BROUGHT = "brought"
HID = "hid"


class Item(NamedTuple):
    """One path of a finding. `wire` is an estimate (the path's share of its layer); None where unknown.

    A content with several names (hard links) has its bytes at the first of them, and 0 at the others. A NamedTuple,
    because there may be one for each file of an image.
    """

    path: str
    layer: int
    unpacked: int
    wire: int | None
    number: int = -1
    """The entry of the layer that goes whole; -1 where only a part of it would."""


@dataclass(frozen=True, slots=True)
class Cause:
    """Who brought bytes of a finding, or who hid them: a layer with its instruction, or a package."""

    layer: int
    instruction: str
    package: str
    """``ecosystem:name``; empty for what no package owns."""
    unpacked: int
    role: str = BROUGHT
    """`BROUGHT` or, of the findings of kind `DEAD` only, `HID`. The causes of one role add up to the finding."""
    detail: str = ""
    """The evidence for this one, such as which packages require it."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Bytes that could go, of one kind, with the reason and how to be rid of them.

    Findings of kind `DEAD` partition the bytes that are not live. Those of kind `SUSPECT` lie over live bytes and
    may overlap.
    """

    id: str
    """Stable, such as ``deleted``, ``package-lists``, ``duplicates``: the name in JSON and in budgets."""
    kind: str
    title: str
    reason: str
    """Why these bytes are thought to be needless: the evidence."""
    remedy: str
    """How to be rid of them."""
    unpacked: int
    """Bytes that removing it would save, exactly."""
    wire: int | None
    """The same on the wire: an estimate, or exact where it was recompressed (`exact`)."""
    items: tuple[Item, ...]
    """Largest first."""
    causes: tuple[Cause, ...] = ()
    """Those that hid before those that brought, each largest first."""
    exact: bool = False


@dataclass(frozen=True, slots=True)
class Remark:
    """Why there is no finding of a kind where one might be expected: silence would pass for "all is well"."""

    finding: str
    """The id of the finding that is missing."""
    text: str
    """One short sentence that names the evidence."""


@dataclass(frozen=True, slots=True)
class Action:
    """One thing worth doing, with what it saves; overlapping findings are counted once in an action."""

    id: str
    title: str
    detail: str
    unpacked: int
    wire: int | None
    findings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Secret:
    """A private key, token or credential file. The value is nowhere kept."""

    layer: int
    path: str
    """The path in the layer; ``config: NAME`` or ``history: N`` for those in the image config."""
    kind: str
    live: bool
    """Whether a container sees it."""


@dataclass(frozen=True, slots=True)
class Surface:
    """What somebody who got in would find."""

    packages: Mapping[str, int]
    """Ecosystem -> number of packages."""
    executables: int
    """Regular files that anybody may execute, or that are ELF programs."""
    setuid: tuple[str, ...]
    """Files with set-user-ID or set-group-ID, sorted."""
    shells: tuple[str, ...]
    """Shells that can be run, sorted."""


@dataclass(frozen=True, slots=True)
class DiveScore:
    """dive's numbers, computed its way (docs/accounting.md says where it errs)."""

    efficiency: float
    wasted: int
    user_bytes: int


@dataclass(frozen=True, slots=True)
class LayerSummary:
    """One layer in numbers. `classes` are unpacked bytes by class."""

    position: int
    digest: Digest
    diff_id: Digest
    media_type: str
    instruction: str
    wire: int | None
    unpacked: int
    files: int
    classes: Mapping[str, int]
    missing: bool = False
    """A foreign layer that the source does not hold: nothing of it is counted."""


@dataclass(frozen=True, slots=True)
class OwnerSummary:
    """What one package takes of the live bytes; `package` is None for the unowned."""

    package: Package | None
    files: int
    unpacked: int
    wire: int | None


@dataclass(frozen=True, slots=True)
class Analysis:
    """Everything that is known of one image."""

    reference: str
    digest: Digest
    platform: Platform
    config: ImageConfig
    wire: int | None
    """Compressed bytes of all layers; None where a layer's is unknown."""
    wire_estimated: bool
    """`wire` comes from our own compression (``--estimate-wire``)."""
    unpacked: int
    classes: Mapping[str, int]
    """live, superseded, restated, deleted: unpacked bytes; they add up to `unpacked`."""
    layers: tuple[LayerSummary, ...]
    owners: tuple[OwnerSummary, ...]
    """Largest first."""
    findings: tuple[Finding, ...]
    """Largest first, the dead ones before the suspect ones."""
    remarks: tuple[Remark, ...]
    """About the whole image, in the order of the finders."""
    actions: tuple[Action, ...]
    """Largest first."""
    secrets: tuple[Secret, ...]
    surface: Surface
    dive: DiveScore
    problems: tuple[str, ...]
    """What could not be looked at, and why."""
    ledger: Ledger
    merged: Merged
    inventory: Inventory
