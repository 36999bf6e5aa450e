"""Puts back what slimming removed: the original is filtered again, with more of it kept."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from deadweight.copying.copier import copy, require_distinct
from deadweight.errors import NotFound
from deadweight.evidence.closure.elf import ElfClosure
from deadweight.evidence.closures import Quiet
from deadweight.evidence.model import Claim, Reason
from deadweight.evidence.scene import Scene
from deadweight.evidence.walk import gather_to_start
from deadweight.image import AS_DOCKER_WOULD
from deadweight.indexing import NO_CACHE, SILENT, Cache, Progress
from deadweight.layer.compress import available_threads
from deadweight.oci.descriptor import Platform
from deadweight.oci.digest import Digest
from deadweight.passes.databases.rewrite import rewrite_databases
from deadweight.passes.documents import with_history
from deadweight.passes.write import Written, write_filtered
from deadweight.sandbox.contents import plain_contents
from deadweight.scratch import scratch_folder
from deadweight.slimming.knowing import packages_named
from deadweight.slimming.pair import Pair, open_pair
from deadweight.slimming.result import Measure
from deadweight.transport.base import Access
from deadweight.transport.names import open_destination, open_source, parse_destination
from deadweight.tree.nearest import nearest
from deadweight.tree.node import Node

ASKED = "restored"
INTERPRETER = "script-interpreter"


@dataclass(frozen=True, slots=True)
class Restored:
    """One path that was put back; directories are not listed."""

    path: str
    rule: str
    """`ASKED`, or the rule of the evidence for what comes along."""
    because: str
    unpacked: int
    """Content bytes; 0 for what is no regular file, and for a content that is there by another name."""


@dataclass(frozen=True, slots=True)
class RestoreResult:
    """An image that was written."""

    original: str
    slimmed: str
    destination: str
    digest: Digest
    """Of its manifest."""
    restored: tuple[Restored, ...]
    """Sorted by path."""
    before: Measure
    """The slimmed image."""
    written: Written
    problems: tuple[str, ...]
    """What could not be looked into, and so may need more than was put back."""


def restore(
    original: str,
    slimmed: str,
    destination: str,
    patterns: Sequence[str] = (),
    packages: Sequence[str] = (),
    *,
    platform: Platform | None = None,
    access: Access = AS_DOCKER_WOULD,
    cache: Cache = NO_CACHE,
    progress: Progress = SILENT,
) -> RestoreResult:
    """Writes to `destination` what `slimmed` shows and, from `original`, what `patterns` and `packages` name.

    Patterns are those of `fnmatch`, against paths with a leading slash; a directory comes with all below it, a symbolic
    link with what it leads to (a directory at its end as it is). What comes back may start: its interpreter and the
    libraries that the dynamic linker loads for it come along. The config is that of `slimmed`. The result is there
    whole or not at all. Raises `NotFound` for what names nothing, `UsageError` where `slimmed` was not made of
    `original`, and `DeadweightError`.
    """
    parse_destination(destination)  # a mistake in it is told before anything is opened
    with (
        open_pair(
            original, slimmed, platform=platform, access=access, cache=cache, progress=progress
        ) as pair,
        open_destination(destination, access) as target,
        scratch_folder() as scratch,
    ):
        for image in (pair.original.image, pair.slimmed.image):
            require_distinct(image.reference, target.reference)
        reasons, problems = _needed(pair, patterns, packages)
        staged = f"oci:{scratch / 'restored'}:image"
        written = _write(pair, pair.kept() | reasons.keys(), staged, progress)
        with open_source(staged, access) as source:
            threads = available_threads()
            digest = copy(source, target, compression=None, platform=None, threads=threads).digest
        return RestoreResult(
            original=pair.original.image.reference,
            slimmed=pair.slimmed.image.reference,
            destination=target.reference,
            digest=digest,
            restored=tuple(_restored(pair, reasons)),
            before=pair.slimmed.measure(),
            written=written,
            problems=problems,
        )


def named(scene: Scene, patterns: Iterable[str], packages: Iterable[str]) -> Iterator[Claim]:
    """What is to come back: what `patterns` match with all below, and the files of `packages`.

    Raises `NotFound` for what is not in the image.
    """
    for pattern in patterns:
        pattern = "/" + pattern.strip("/")
        matched = [node for path, node in scene.tree.walk() if fnmatchcase("/" + path, pattern)]
        if not matched:
            matched = [way[-1]] if (way := scene.way(pattern)) else []
        if not matched:
            near = nearest(scene.tree, pattern)
            raise NotFound(pattern, "is not in the original", f"did you mean {near}?" if near else "")
        yield Claim(pattern, ASKED, "it was asked for")  # with the links on the way, where it is a path
        for node in matched:
            yield from (Claim(path, ASKED, "it was asked for") for path, _ in node.walk())
    for name in packages:
        for package in packages_named(scene.inventory, name):
            yield from (Claim(path, ASKED, f"it is a file of {package.label}") for path in package.paths)


class InterpreterClosure:
    """Knows which program the first line of a script names: without it, it does not start."""

    name = "interpreter"

    def open(self, scene: Scene) -> _Interpreters:
        return _Interpreters(scene)


class _Interpreters(Quiet):
    light = True

    def __init__(self, scene: Scene) -> None:
        self._scene = scene

    def follow(self, node: Node) -> Iterator[Claim]:
        script = self._scene.scripts.get(node.path)
        program = script.interpreter if script is not None else ""
        found = self._scene.program(program) if program else None
        if found is not None:
            yield Claim(
                program if "/" in program else found.path, INTERPRETER, f"/{node.path} starts with it"
            )


def _needed(
    pair: Pair, patterns: Sequence[str], packages: Sequence[str]
) -> tuple[Mapping[str, Reason], tuple[str, ...]]:
    """What comes back, with the reasons, and what could not be looked into."""
    original = pair.original
    with plain_contents(original.image, original.indexes, original.view.merged.tree) as contents:
        scene = original.scene(contents)
        asked = list(named(scene, patterns, packages))
        evidence = gather_to_start(scene, asked, (ElfClosure(), InterpreterClosure()))
    # A link that leads to nothing needs nothing, and no evidence leads to it.
    reasons = {claim.path: Reason("", claim.rule, claim.because) for claim in asked}
    return {**reasons, **evidence.reasons}, evidence.problems


def _restored(pair: Pair, reasons: Mapping[str, Reason]) -> Iterator[Restored]:
    for removal in pair.removals():
        reason = reasons.get(removal.path)
        if reason is not None:
            yield Restored(removal.path, reason.rule, reason.because, removal.unpacked)


def _write(pair: Pair, kept: Container[str], staged: str, progress: Progress) -> Written:
    subject, config = pair.original, pair.slimmed.image.config_document
    same = _same_layers(pair)
    databases = rewrite_databases(
        subject.image,
        subject.indexes,
        subject.view.merged,
        subject.view.inventory,
        lambda node: node.path in kept,
        same,
    )
    image = replace(subject.image, config_document=with_history(config, subject.image.config_document))
    with open_destination(staged, AS_DOCKER_WOULD) as destination:
        return write_filtered(
            image,
            subject.indexes,
            subject.view.merged,
            databases.kept,
            databases.replaced,
            destination,
            keep_layers=same,
            progress=progress,
        )


def _same_layers(pair: Pair) -> int:
    """How many layers, from the lowest on, are the same in both: they stay so, and stay shared."""
    count = 0
    for one, other in zip(pair.original.image.layers, pair.slimmed.image.layers, strict=False):
        if one.diff_id != other.diff_id:
            break
        count += 1
    return count
