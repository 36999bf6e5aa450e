"""Follows what is needed from the roots on, each path once."""

from __future__ import annotations

from collections import deque
from collections.abc import Container, Iterable, Sequence

from deadweight.evidence.closures import Closure, Follower
from deadweight.evidence.company import Company
from deadweight.evidence.model import Claim, Evidence, Reason
from deadweight.evidence.observations import Observations
from deadweight.evidence.scene import Scene
from deadweight.layer.entry import SYMLINK
from deadweight.trace.observed import NOTHING, Observed
from deadweight.tree.node import Node


def gather(
    scene: Scene,
    roots: Iterable[Claim],
    closures: Sequence[Closure],
    *,
    observed: Observed = NOTHING,
    needless: Container[str] = frozenset(),
) -> Evidence:
    """All that is needed in `scene`: what `roots` claim, what was `observed`, the application's own, and what is claimed for
    each path that is needed, by `closures` and by the package that it belongs to. What is `needless` by its place only
    stays if it is claimed.

    The first claim on a path is the one that is kept: nearest to the roots, in their order. The same input gives the same
    evidence. Never raises for what an image holds: that is one of `Evidence.problems`.
    """
    return _Walk(scene, closures, observed, needless).follow(roots)


class _Walk:
    """The paths that are needed, and those that were not yet looked into."""

    def __init__(
        self, scene: Scene, closures: Sequence[Closure], observed: Observed, needless: Container[str]
    ) -> None:
        self._scene = scene
        followers = [closure.open(scene) for closure in closures]
        self._followers: list[Follower] = [
            Observations(scene, followers, observed),
            *followers,
            Company(scene, followers, needless),
        ]
        self._reasons: dict[str, Reason] = {}
        self._left: deque[Node] = deque()

    def follow(self, roots: Iterable[Claim]) -> Evidence:
        self._hear("", roots)
        for follower in self._followers:
            self._hear("", follower.roots())
        while self._left:
            node = self._left.popleft()
            for follower in self._followers:
                self._hear(node.path, follower.follow(node))
        problems = sorted({problem for follower in self._followers for problem in follower.problems})
        return Evidence(self._reasons, tuple(problems))

    def _hear(self, source: str, claims: Iterable[Claim]) -> None:
        for claim in claims:
            path = claim.path.strip("/")
            if path in self._reasons:
                continue
            for node in self._scene.way(path):
                if node.path not in self._reasons and node.path:
                    self._reasons[node.path] = Reason(source, claim.rule, claim.because)
                    if node.entry.kind != SYMLINK:
                        self._left.append(node)
