"""Why a path of an image stays when it is slimmed, or what removes it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from deadweight.errors import NotFound
from deadweight.image import AS_DOCKER_WOULD, open_image
from deadweight.indexing import NO_CACHE, SILENT, Cache, Progress
from deadweight.oci.descriptor import Platform
from deadweight.oci.digest import Digest
from deadweight.sandbox import BUBBLEWRAP, Choice
from deadweight.slimming.base_image import base_layers
from deadweight.slimming.explanation import Explainer, Why, dead_of
from deadweight.slimming.looking import Looked, look_at, look_without_running
from deadweight.slimming.request import AUTO, Request, require_given
from deadweight.slimming.selection import FILES, PACKAGES
from deadweight.slimming.subject import Subject, read_subject
from deadweight.transport.base import Access
from deadweight.tree.nearest import nearest
from deadweight.tree.node import LinkLoop, Node


@dataclass(frozen=True, slots=True)
class Answer:
    """Why the paths that were asked for stay or go."""

    reference: str
    """The full reference that was read."""
    digest: Digest
    level: str
    """What is said holds for this level."""
    why_not_run: str
    """Why the image was not run, where that is so."""
    paths: tuple[Why, ...]
    """In the order in which they were asked for; what a symbolic link leads to comes after it."""
    notes: tuple[str, ...]


def why(
    reference: str,
    paths: Sequence[str],
    request: Request = Request(),  # noqa: B008 - it is frozen
    *,
    evidence: Path | None = None,
    run: bool = True,
    folder: Path = Path(),
    platform: Platform | None = None,
    access: Access = AS_DOCKER_WOULD,
    cache: Cache = NO_CACHE,
    progress: Progress = SILENT,
) -> Answer:
    """Why `paths` of the image `reference` stay or go when it is slimmed as `request` says.

    The image is looked at as `slim` does: it is run, unless the file `evidence` says what it does, `run` is false or no
    sandbox can be made. At level `auto` the answer holds for the deepest level that may be tried: `files` for what was
    run, `packages` for what was not. Nothing is written. Raises `NotFound` for a path that no layer has, and
    `DeadweightError`.
    """
    require_given(request, evidence)
    with open_image(reference, platform, access) as image:
        subject = read_subject(image, cache=cache, progress=progress)
        base = base_layers(image, request.keep_base, access) if request.keep_base else 0
        found = [_find(subject, path) for path in paths]  # a mistake is told before anything runs
        if run or evidence is not None:
            traced = replace(request, sandbox=Choice(BUBBLEWRAP))  # an engine would tell nothing
            looked = look_at(subject, traced, evidence, folder)
        else:
            looked = look_without_running(subject, request)
        level = _level(request.level, looked)
        explainer = Explainer(subject, looked, level, base)
        answers: list[Why] = []
        for path, nodes in found:
            answers += map(explainer.shown, nodes) if nodes else [explainer.hidden(path)]
        return Answer(
            reference=image.reference,
            digest=image.digest,
            level=level,
            why_not_run="" if looked.was_run else looked.why_not_run,
            paths=tuple(answers),
            notes=(*looked.notes(request), *looked.known.evidence.problems),
        )


def _find(subject: Subject, path: str) -> tuple[str, list[Node]]:
    """`path` from the root, and the node there with what it leads to if it is a link; none where it is dead."""
    tree = subject.view.merged.tree
    asked = "/".join(part for part in path.split("/") if part not in ("", "."))
    try:
        node, target = tree.find(path), tree.resolve(path)
    except LinkLoop:
        raise NotFound(path, "leads in a circle of symbolic links") from None
    if node is not None:
        return asked, [node, target] if target is not None and target is not node else [node]
    if not dead_of(subject, asked):
        near = nearest(tree, path)
        remedy = f"did you mean {near}?" if near else "look around with deadweight ls"
        raise NotFound(path, f"is in no layer of {subject.image.reference}", remedy)
    return asked, []


def _level(wanted: str, looked: Looked) -> str:
    if wanted == AUTO:
        return PACKAGES if looked.why_not_traced else FILES
    return wanted
