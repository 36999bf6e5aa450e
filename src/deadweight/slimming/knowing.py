"""From an image and what was observed of it to the evidence on which every level decides."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from fnmatch import fnmatchcase

from deadweight.errors import NotFound
from deadweight.evidence.closures import installed_closures
from deadweight.evidence.model import Claim
from deadweight.evidence.scene import Contents, Scene
from deadweight.evidence.walk import gather
from deadweight.inventory.model import Inventory, Package
from deadweight.slimming.request import Request
from deadweight.slimming.selection import Known
from deadweight.slimming.subject import Subject
from deadweight.trace.observed import Observed

SHELL = "shell"
"""The closure that is left out where the user wants no shell."""
KEPT = "kept"


def know(subject: Subject, contents: Contents, observed: Observed, request: Request) -> Known:
    """The evidence for `subject` of which `observed` was used. Raises `NotFound` for a package that is to be kept, and is not there."""
    scene = subject.scene(contents)
    needless = subject.needless()
    closures = [one for one in installed_closures() if not (request.drop_shell and one.name == SHELL)]
    roots = [*_kept_paths(scene, request), *_kept_packages(scene, request)]
    evidence = gather(scene, roots, closures, observed=observed, needless=needless)
    return Known(scene, evidence, needless, request.drop)


def _kept_paths(scene: Scene, request: Request) -> Iterator[Claim]:
    for pattern in request.keep:
        because = f"--keep {pattern}"
        for path, _ in scene.tree.walk():
            if fnmatchcase("/" + path, pattern):
                yield Claim(path, KEPT, because)


def useless_patterns(scene: Scene, request: Request) -> Iterator[str]:
    """A remark on each pattern of `request` that matches no path: it may be misspelt."""
    paths = ["/" + path for path, _ in scene.tree.walk()]
    for option, patterns in (("--keep", request.keep), ("--drop", request.drop)):
        for pattern in patterns:
            if not any(fnmatchcase(path, pattern) for path in paths):
                yield f"{option} {pattern}: matches no path of the image"


def _kept_packages(scene: Scene, request: Request) -> Iterator[Claim]:
    for name in request.keep_packages:
        for package in packages_named(scene.inventory, name):
            for path in package.paths:
                yield Claim(path, KEPT, f"--keep-package {name}")


def packages_named(inventory: Inventory, name: str) -> list[Package]:
    """The packages that are called `name`, or ``ecosystem:name``. Raises `NotFound` for none."""
    named = [one for one in inventory.packages if name in (one.name, one.label)]
    if not named:
        near = get_close_matches(name, sorted({one.name for one in inventory.packages}), 1)
        remedy = f"did you mean {near[0]}?" if near else "list them: deadweight analyze"
        raise NotFound(f"the package {name!r}", "is not in the image", remedy)
    return named
