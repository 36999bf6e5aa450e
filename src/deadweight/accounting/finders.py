"""All kinds of findings, in the order in which reports name what is equally large.

A third party adds one by a `Finder` of its own, given to `accounting.analyze.analyze`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from deadweight.accounting.findings.bytecode import Bytecode
from deadweight.accounting.findings.dead import Dead
from deadweight.accounting.findings.debug_sections import DebugSections
from deadweight.accounting.findings.duplicates import Duplicates
from deadweight.accounting.findings.places import Places
from deadweight.accounting.findings.unused import UnusedPackages
from deadweight.accounting.model import Finding, Remark
from deadweight.accounting.view import View


class Finder(Protocol):
    """Looks at an image for one kind of weight, or for several of one sort."""

    def find(self, view: View) -> Iterator[Finding | Remark]:
        """The findings, and why there is none where that needs a word; never raises for what an image holds."""


FINDERS: tuple[Finder, ...] = (
    Dead(),
    Places(),
    Duplicates(),
    UnusedPackages(),
    DebugSections(),
    Bytecode(),
)
