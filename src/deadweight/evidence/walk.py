"""Follows what is needed from the roots on, each path once."""

from __future__ import annotations

from collections import deque
from collections.abc import Container, Iterable, Sequence

from deadweight.evidence.closures import Closure, Follower
from deadweight.evidence.company import Company
from deadweight.evidence.model import Claim, Evidence, Reason
from deadweight.evidence.observations import Observations
from deadweight.evidence.scene import Scene
from deadweight.evidence.siblings import Siblings
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
    followers = [closure.open(scene) for closure in closures]
    everywhere: list[Follower] = [
        Observations(scene, followers, observed),
        *followers,
        Siblings(scene, observed),
        Company(scene, followers, needless),
    ]
    return _Walk(scene, everywhere).follow(roots)


def gather_to_start(scene: Scene, paths: Iterable[Claim], closures: Sequence[Closure]) -> Evidence:
    """Only what `paths` name and what that cannot start without, as those of `closures` know that are for it (`Follower.light`)."""
    followers = [closure.open(scene) for closure in closures]
    roots = [path._replace(light=True) for path in paths]
    return _Walk(scene, [follower for follower in followers if follower.light]).follow(roots)


class _Walk:
    """The paths that are needed, and those that were not yet looked into."""

    def __init__(self, scene: Scene, followers: Sequence[Follower]) -> None:
        self._scene = scene
        self._followers = followers
        self._reasons: dict[str, Reason] = {}
        self._light: set[str] = set()
        self._left: deque[Node] = deque()

    def follow(self, roots: Iterable[Claim]) -> Evidence:
        self._hear("", roots)
        for follower in self._followers:
            self._hear("", follower.roots())
        while self._left:
            node = self._left.popleft()
            light = node.path in self._light
            for follower in self._followers:
                if follower.light or not light:
                    self._hear(node.path, follower.follow(node), light=light)
        problems = sorted({problem for follower in self._followers for problem in follower.problems})
        return Evidence(self._reasons, tuple(problems))

    def _hear(self, source: str, claims: Iterable[Claim], *, light: bool = False) -> None:
        for claim in claims:
            for node in self._way(claim.path):
                self._need(node, Reason(source, claim.rule, claim.because), light=light or claim.light)

    def _way(self, path: str) -> tuple[Node, ...]:
        path = path.strip("/")
        if path in self._reasons and path not in self._light:
            return ()  # as nearly always
        return self._scene.way(path)

    def _need(self, node: Node, reason: Reason, *, light: bool) -> None:
        """A light claim adds nothing to another one; one that is not takes the place of a light one."""
        path = node.path
        if not path or (path in self._reasons and (light or path not in self._light)):
            return
        self._reasons[path] = reason
        if light:
            self._light.add(path)
        else:
            self._light.discard(path)
        if node.entry.kind != SYMLINK:
            self._left.append(node)
