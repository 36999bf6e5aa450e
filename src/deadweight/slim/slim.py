"""The whole way from an image to its slimmed, proved copy."""

from __future__ import annotations

import time
from pathlib import Path

from deadweight.copying.copier import copy, require_distinct
from deadweight.errors import Unsupported
from deadweight.image import AS_DOCKER_WOULD, open_image
from deadweight.indexing import NO_CACHE, SILENT, Cache, Progress
from deadweight.oci.descriptor import Platform
from deadweight.oci.digest import Digest
from deadweight.passes.databases.rewrite import rewrite_databases
from deadweight.passes.write import write_filtered
from deadweight.probe.proof import ProbeResult, prove
from deadweight.sandbox import box_of
from deadweight.scratch import scratch_folder
from deadweight.slim.base_image import base_layers
from deadweight.slim.labels import labels_of
from deadweight.slim.looking import look_at
from deadweight.slim.recorded import Recorded
from deadweight.slim.request import AUTO, Request
from deadweight.slim.result import Attempt, Proof, SlimResult
from deadweight.slim.selection import FILES, LEVELS, LOSSLESS, PACKAGES, Known, Selection, select
from deadweight.slim.subject import Subject, read_subject
from deadweight.transport.base import Access
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
    begin = time.monotonic()
    parse_destination(destination)  # a mistake in it is told before anything is opened
    with (
        open_image(reference, platform, access) as image,
        open_destination(destination, access) as target,
        scratch_folder() as scratch,
    ):
        require_distinct(image.reference, target.reference)
        subject = read_subject(image, cache=cache, progress=progress)
        base = base_layers(image, request.keep_base, access) if request.keep_base else 0
        slimming = _Slimming(subject, request, scratch, folder, base, progress)
        slimming.look(evidence)
        staged = slimming.try_levels()
        digest: Digest | None = None
        if staged:
            with open_source(staged, access) as source:
                threads = request.threads
                digest = copy(source, target, compression=None, platform=None, threads=threads).digest
        return SlimResult(
            reference=image.reference,
            destination=target.reference,
            before=subject.measure(),
            attempts=tuple(slimming.attempts),
            digest=digest,
            selection=slimming.selection,
            view=subject.view,
            evidence=slimming.known.evidence,
            recorded=slimming.recorded,
            notes=tuple(slimming.notes),
            seconds=time.monotonic() - begin,
        )


class _Slimming:
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
        self._subject = subject
        self._request = request
        self._scratch = scratch
        self._folder = folder
        self._base = base
        self._progress = progress
        self._why_not_run = ""
        self.recorded = Recorded()
        self.attempts: list[Attempt] = []
        self.notes: list[str] = []

    def look(self, evidence: Path | None) -> None:
        """Runs the original, unless the file `evidence` says what it does, and gathers the evidence."""
        looked = look_at(self._subject, self._request, evidence, self._folder)
        self.known, self.recorded, self._why_not_run = looked.known, looked.recorded, looked.why_not_run
        self.notes += self.known.evidence.problems

    def try_levels(self) -> str:
        """The reference of the first result that passes, in the scratch folder; empty where none does."""
        for level in self._levels():
            self.selection = select(level, self.known)
            staged = f"oci:{self._scratch / level}:image"
            self._write(staged)
            attempt = self._attempt(level, staged)
            self.attempts.append(attempt)
            if not attempt.proof.failed:
                return staged
        return ""

    def _levels(self) -> tuple[str, ...]:
        static = not self.recorded.expectations
        if self._request.level == AUTO:
            return _STATIC if static else LEVELS
        if self._request.level == FILES and static:
            remedy = "take --level packages, or --evidence from where it can"
            raise Unsupported(self._subject.image.reference, f"cannot be run: {self._why_not_run}", remedy)
        return (self._request.level,)

    def _write(self, staged: str) -> None:
        subject, request = self._subject, self._request
        names = self.selection.kept
        databases = rewrite_databases(
            subject.image,
            subject.indexes,
            subject.view.merged,
            subject.view.inventory,
            lambda node: node.path in names,
            self._base,
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
                labels=labels_of(subject.image, self.selection.level),
                progress=self._progress,
            )

    def _attempt(self, level: str, staged: str) -> Attempt:
        with open_image(staged) as image:
            result = read_subject(image)
            return Attempt(level, result.measure(), self._proof(result))

    def _proof(self, result: Subject) -> Proof:
        if not self.recorded.expectations:
            return Proof(why_none=self._why_not_run or "the original was not run")
        execution = result.image.config.execution
        results: list[ProbeResult] = []
        with box_of(result.image, result.indexes, result.view.merged.tree) as box:
            for expectation in self.recorded.expectations:
                results += prove(box, execution, expectation, folder=self._folder)
        return Proof(tuple(results))
