"""The seam between the walk and those who know what one kind of file needs, and who of them is there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from deadweight.errors import UsageError
from deadweight.evidence.model import Claim
from deadweight.evidence.scene import Scene
from deadweight.inventory.model import Package
from deadweight.tree.node import Node

GROUP = "deadweight.evidence"
"""The group of entry points under which closures are found: our own, and those that other distributions offer."""


class Follower(Protocol):
    """Follows the files of one image. It may remember what it has seen. It is asked about each path once; who is `light`, about some
    of those that are light once more when more than that needs them.
    """

    @property
    def light(self) -> bool:
        """Whether it claims only what a file cannot start without: then it is asked about light ones (`Claim`), too."""

    @property
    def problems(self) -> Iterable[str]:
        """What it could not look into, as "PATH: why": asked for at the end."""

    def roots(self) -> Iterable[Claim]:
        """What is needed whatever else is."""

    def follow(self, node: Node) -> Iterable[Claim]:
        """What `node`, a file or a directory that is needed, needs. Never raises for what an image holds."""

    def decides(self, node: Node, owner: Package | None) -> bool:
        """Whether `node`, no directory, stays only if a claim reaches it.

        Else it stays with its `owner`: a file of a package of the distribution when any other file of it is needed, and
        one that no package owns, which is the application's own, in any case. A library is such a file, and so is the
        source of a Python that was compiled by hand.
        """


class Closure(Protocol):
    """Knows what one kind of file needs."""

    @property
    def name(self) -> str:
        """Its name in reports, such as ``elf``."""

    def open(self, scene: Scene) -> Follower:
        """Who follows the files of `scene`."""


class Quiet:
    """The base of followers that do not have to say something everywhere."""

    light: bool = False

    @property
    def problems(self) -> Iterable[str]:
        return ()

    def roots(self) -> Iterable[Claim]:
        return ()

    def follow(self, node: Node) -> Iterable[Claim]:
        return ()

    def decides(self, node: Node, owner: Package | None) -> bool:
        return False


def installed_closures() -> Sequence[Closure]:
    """The closures of all installed distributions, sorted by name. Raises `UsageError` for one that cannot be imported."""
    from importlib.metadata import entry_points

    found: list[Closure] = []
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        try:
            found.append(point.load()())
        except (ImportError, AttributeError) as error:
            problem = f"offers a closure that cannot be imported ({error})"
            raise UsageError(f"entry point {point.name}", problem, "update or remove it") from error
    return found
