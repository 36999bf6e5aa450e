"""What came of slimming an image: plain data that reports render."""

from __future__ import annotations

from dataclasses import dataclass

from deadweight.accounting.view import View
from deadweight.evidence.model import Evidence
from deadweight.inventory.model import Package
from deadweight.oci.digest import Digest
from deadweight.probe.proof import ProbeResult
from deadweight.slimming.recorded import Recorded
from deadweight.slimming.selection import Removal


@dataclass(frozen=True, slots=True)
class Measure:
    """An image in numbers."""

    wire: int | None
    """Compressed bytes of all layers; None where the source does not hold them compressed."""
    unpacked: int
    """Content bytes of all layers, each copy counted."""
    files: int
    """Names of regular files in the merged tree."""
    layers: int
    packages: int
    executables: int
    setuid: int
    """Files with set-user-ID or set-group-ID."""
    shells: int


@dataclass(frozen=True, slots=True)
class Proof:
    """What was asked of the original and of the result."""

    results: tuple[ProbeResult, ...] = ()
    """In the order in which it was asked; empty where nothing was run."""
    why_none: str = ""
    """Why nothing was run, where that is so."""
    sandbox: str = ""
    """What ran it: ``bubblewrap``, ``docker`` or ``podman``; empty where nothing was run."""

    @property
    def passed(self) -> int:
        return sum(result.passed for result in self.results)

    @property
    def failed(self) -> int:
        return len(self.results) - self.passed


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a result no longer has of its original. Where no database got larger, the unpacked size of the original is that of the
    result, the bytes of `removals`, and `dead`.
    """

    removals: tuple[Removal, ...] = ()
    """What is not there any more, and of files that were written anew (`REWRITTEN`) what they lost. Sorted by path."""
    packages: tuple[Package, ...] = ()
    """Those that are not there any more, in the order of the inventory."""
    unchanged: frozenset[int] = frozenset()
    """The positions of the layers that stay as they are, with what no container sees of them."""
    dead: int = 0
    """The content bytes of all other layers that no container sees: all of them go."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One level that was tried."""

    level: str
    after: Measure
    proof: Proof
    missing: tuple[Removal, ...] = ()
    """What the result was seen to look for in vain when it failed, and had been removed."""
    outcome: Outcome = Outcome()


@dataclass(frozen=True, slots=True)
class SlimResult:
    """A slimmed image that was written, or the attempts that failed."""

    reference: str
    """The full reference that was read."""
    platform: str
    destination: str
    before: Measure
    attempts: tuple[Attempt, ...]
    """In the order in which they were made; where one passed, it is the last. One that was only made to see whether it
    passes, because none was asked for that does, is not among them.
    """
    digest: Digest | None
    """Of the manifest that was written; None where no level passed."""
    view: View
    """All contents of the original."""
    evidence: Evidence
    recorded: Recorded
    notes: tuple[str, ...]
    seconds: float
    would_pass: str = ""
    """Where the level that was asked for fails: the next one that passes. Nothing is written for it."""

    @property
    def attempt(self) -> Attempt:
        """The last attempt."""
        return self.attempts[-1]
