"""The whole way from an image to its slimmed, proved copy."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from deadweight.copying.copier import copy, require_distinct
from deadweight.errors import Unsupported
from deadweight.evidence.scene import Contents
from deadweight.image import AS_DOCKER_WOULD, Image, open_image
from deadweight.indexing import NO_CACHE, SILENT, Cache, Progress
from deadweight.oci.descriptor import Platform
from deadweight.oci.digest import Digest
from deadweight.passes.databases.rewrite import MAX_DATABASES, database_files, rewrite_databases
from deadweight.passes.write import write_filtered
from deadweight.probe.proof import ProbeResult, prove
from deadweight.probe.workload import Workload
from deadweight.sandbox import Box, box_of
from deadweight.sandbox.contents import UnpackedContents, plain_contents
from deadweight.scratch import scratch_folder
from deadweight.slim.base_image import base_layers
from deadweight.slim.evidence_file import read_evidence
from deadweight.slim.knowing import know
from deadweight.slim.recorded import Recorded, record_original
from deadweight.slim.request import AUTO, Request
from deadweight.slim.result import Attempt, Proof, SlimResult
from deadweight.slim.selection import FILES, LEVELS, LOSSLESS, PACKAGES, Known, Selection, select
from deadweight.slim.subject import Subject, read_subject
from deadweight.transport.base import Access, Destination
from deadweight.transport.names import open_destination, open_source, parse_destination

_STATIC = (PACKAGES, LOSSLESS)
"""The levels for what was not run."""


def slim(
    reference: str,
    destination: str,
    request: Request = Request(),  # noqa: B008 - it is frozen
    *,
    evidence: Path | None = None,
    folder: Path = Path(),
    platform: Platform | None = None,
    access: Access = AS_DOCKER_WOULD,
    cache: Cache = NO_CACHE,
    progress: Progress = SILENT,
) -> SlimResult:
    """Writes the image `reference` to `destination` without what `request` lets go, whole, proved, or not at all.

    `evidence` is a file with what an earlier run found out; then the original is not run. Scripts are relative to `folder`. Where no
    level passes, `SlimResult.digest` is None and nothing is written. Raises `DeadweightError`.
    """
    parse_destination(destination)  # a mistake in it is told before anything is opened
    with (
        open_image(reference, platform, access) as image,
        open_destination(destination, access) as target,
        scratch_folder() as scratch,
    ):
        require_distinct(image.reference, target.reference)
        begin = time.monotonic()
        subject = read_subject(image, cache=cache, progress=progress)
        base = base_layers(image, request.keep_base, access) if request.keep_base else 0
        slimming = Slimming(subject, request, scratch, folder, base, progress)
        slimming.look(evidence)
        digest = publish(slimming.try_levels(), target, request)
        return slimming.result(target.reference, digest, time.monotonic() - begin)


def publish(staged: str, target: Destination, request: Request) -> Digest | None:
    """Copies the image `staged`, where there is one, to `target`, and commits it; the digest of its manifest."""
    if not staged:
        return None
    with open_source(staged, AS_DOCKER_WOULD) as source:
        return copy(source, target, compression=None, platform=None, threads=request.threads).digest


def _require_host(image: Image) -> None:
    """Raises `Unsupported` for an image whose programs this machine cannot run."""
    host = Platform.of_host()
    if not host.accepts(image.platform):
        raise Unsupported(image.reference, f"is for {image.platform}, and this machine is {host}")


def _databases(subject: Subject, contents: Contents) -> Mapping[str, bytes]:
    """The contents of package databases, as far as they are at hand."""
    nodes = database_files(subject.view.merged.tree, subject.view.inventory)
    if sum(node.entry.size for node in nodes) > MAX_DATABASES:
        return {}  # who rewrites them refuses that
    found = ((node.path, contents.read(node, node.entry.size)) for node in nodes)
    return {path: content for path, content in found if content is not None}


class Slimming:
    """One image on its way: what is known of it, and what was tried."""

    known: Known
    selection: Selection

    def __init__(
        self,
        subject: Subject,
        request: Request,
        scratch: Path,
        folder: Path,
        base: int,
        progress: Progress,
    ) -> None:
        self._subject = self._written = subject
        self._request = request
        self._scratch = scratch
        self._folder = folder
        self._base = base
        self._progress = progress
        self._why_not_run = ""
        self._databases: Mapping[str, bytes] = {}
        self.recorded = Recorded()
        self.attempts: list[Attempt] = []
        self.notes: list[str] = []

    def look(self, evidence: Path | None) -> None:
        """Runs the original, unless the file `evidence` says what it does, and gathers the evidence."""
        workloads = self._request.workloads or (Workload(),)
        execution = self._subject.image.config.execution
        if evidence is not None:
            self.recorded = read_evidence(evidence, execution, workloads)
        with self._unpacked() as (contents, box):
            if box is not None and evidence is None:
                self.recorded = record_original(box, self._subject.image, workloads, self._folder)
            self.known = know(self._subject, contents, self.recorded.observed, self._request)
            self._databases = _databases(self._subject, contents)
        self.notes += self.known.evidence.problems

    def result(self, destination: str, digest: Digest | None, seconds: float) -> SlimResult:
        """All that came of it, for an image that was written to `destination` with `digest`."""
        return SlimResult(
            reference=self._subject.image.reference,
            platform=str(self._subject.image.platform),
            destination=destination,
            before=self._subject.measure(),
            attempts=tuple(self.attempts),
            digest=digest,
            selection=self.selection,
            evidence=self.known.evidence,
            recorded=self.recorded,
            notes=tuple(self.notes),
            seconds=seconds,
        )

    def try_levels(self) -> str:
        """The reference of the first result that passes, in the scratch folder; empty where none does."""
        for level in self.levels():
            self.choose(level)
            staged = self.write()
            if self.passes(staged):
                return staged
        return ""

    def levels(self) -> tuple[str, ...]:
        """The levels that are to be tried, the deepest first. Raises `Unsupported` for one that cannot be."""
        static = not self.recorded.expectations
        if self._request.level == AUTO:
            return _STATIC if static else LEVELS
        if self._request.level == FILES and static:
            remedy = "take --level packages, or --evidence from where it can"
            raise Unsupported(self._subject.image.reference, f"cannot be run: {self._why_not_run}", remedy)
        return (self._request.level,)

    def choose(self, level: str) -> None:
        """Selects what stays at `level`."""
        self.selection = select(level, self.known)

    def rebase(self, subject: Subject, base: int) -> None:
        """Writes from now on `subject`, an image with the same tree, whose first `base` layers stay as they are."""
        self._written, self._base = subject, base
        self._databases = {}

    @contextmanager
    def _unpacked(self) -> Iterator[tuple[UnpackedContents, Box | None]]:
        """The contents of the original and, where a sandbox can be made, that."""
        subject = self._subject
        tree = subject.view.merged.tree
        with ExitStack() as stack:
            box: Box | None = None
            try:
                _require_host(subject.image)
                box = stack.enter_context(box_of(subject.image, subject.indexes, tree))
                contents = box.contents
            except Unsupported as error:
                self._why_not_run = str(error)
                contents = stack.enter_context(plain_contents(subject.image, subject.indexes, tree))
            yield contents, box

    def write(self) -> str:
        """Writes what was chosen into the scratch folder; its reference there."""
        subject, request = self._written, self._request
        staged = f"oci:{self._scratch / self.selection.level}:image"
        names = self.selection.kept
        databases = rewrite_databases(
            subject.image,
            subject.indexes,
            subject.view.merged,
            subject.view.inventory,
            lambda node: node.path in names,
            self._base,
            self._databases,
        )
        with open_destination(staged, AS_DOCKER_WOULD) as destination:
            write_filtered(
                subject.image,
                subject.indexes,
                subject.view.merged,
                databases.kept,
                databases.replaced,
                destination,
                compression=request.compression,
                keep_layers=self._base,
                threads=request.threads,
                progress=self._progress,
            )
        return staged

    def passes(self, staged: str) -> bool:
        """Whether the result that was written answers as it is expected to; notes the attempt."""
        with open_image(staged) as image:
            result = read_subject(image)
            attempt = Attempt(self.selection.level, result.measure(), self._proof(result))
        self.attempts.append(attempt)
        return not attempt.proof.failed

    def _proof(self, result: Subject) -> Proof:
        if not self.recorded.expectations:
            return Proof(why_none=self._why_not_run or "the original was not run")
        execution = result.image.config.execution
        results: list[ProbeResult] = []
        with box_of(result.image, result.indexes, result.view.merged.tree) as box:
            for expectation in self.recorded.expectations:
                results += prove(box, execution, expectation, folder=self._folder)
        return Proof(tuple(results))
