"""Programs that come with the one that an image is for: a server's client, its checker, its administrator's tools."""

from __future__ import annotations

from collections.abc import Iterator

from deadweight.accounting.programs import started
from deadweight.evidence.closures import Quiet
from deadweight.evidence.company import PROGRAM_FOLDERS, SYSTEM
from deadweight.evidence.model import Claim
from deadweight.evidence.scene import Scene
from deadweight.trace.observed import Observed, Use

SIBLING = "sibling"


class Siblings(Quiet):
    """Claims the other programs of packages whose programs the config starts, or the workload started.

    Who looks after a container starts them by hand. Those of essential packages are no sign of what an image is for.
    """

    def __init__(self, scene: Scene, observed: Observed) -> None:
        self._scene = scene
        self._observed = observed

    def roots(self) -> Iterator[Claim]:
        for path in self._main():
            package = self._scene.owner(path)
            if package is None or package.ecosystem not in SYSTEM or package.essential:
                continue
            because = f"it comes with /{path}, which the image is for"
            for other in package.paths:
                if other.rpartition("/")[0] in PROGRAM_FOLDERS:
                    yield Claim(other, SIBLING, because, light=True)

    def _main(self) -> Iterator[str]:
        working_dir = self._scene.execution.working_dir or "/"
        for command in started(self._scene.execution):
            node = self._scene.program(command[0], working_dir)
            if node is not None:
                yield node.path
        yield from self._observed.uses[Use.EXECUTED]
