"""What workloads were seen to use."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from deadweight.evidence.closures import Follower, Quiet
from deadweight.evidence.model import Claim
from deadweight.evidence.scene import Scene
from deadweight.trace.observed import Observed, Use

OBSERVED = "observed"
LISTED = "listed"

_WORDS = {
    Use.EXECUTED: "was executed",
    Use.OPENED: "was opened",
    Use.LOOKED_AT: "was looked at",
    Use.FOLLOWED: "was followed",
    Use.LISTED: "was listed",
}


class Observations(Quiet):
    """Claims what was observed, the surest uses first."""

    def __init__(self, scene: Scene, followers: Sequence[Follower], observed: Observed) -> None:
        self._scene = scene
        self._followers = followers
        self._observed = observed

    def roots(self) -> Iterator[Claim]:
        for use, words in _WORDS.items():
            for path, program in self._observed.uses[use].items():
                yield Claim(path, OBSERVED, f"{words} by {_named(program)} in the workload")
        for path, program in self._observed.uses[Use.LISTED].items():
            yield from self._entries(path, program)

    def _entries(self, path: str, program: str) -> Iterator[Claim]:
        """What is in a directory that was listed, but for modules, programs and the like, and links to them: who loads modules
        lists directories to have their names at hand, not because it needs all that they name.
        """
        directory = self._scene.tree.find(path)
        children = directory.children if directory is not None else None
        for node in (children or {}).values():
            target = self._scene.resolve(node.path) or node
            owner = self._scene.owner(target.path)
            if target.is_directory or not any(one.decides(target, owner) for one in self._followers):
                because = f"{_named(program)} listed /{path}, where it is, in the workload"
                yield Claim(node.path, LISTED, because)


def _named(program: str) -> str:
    return f"/{program.lstrip('/')}" if program else "a program"
