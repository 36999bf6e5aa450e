"""The whole way from an image to its slimmed, proved copy."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from deadweight.copying.copier import copy, require_distinct
from deadweight.errors import LimitExceeded, Unsupported
from deadweight.image import AS_DOCKER_WOULD, Image, open_image
from deadweight.indexing import NO_CACHE, SILENT, Cache, Progress
from deadweight.oci.descriptor import Platform
from deadweight.oci.digest import Digest
from deadweight.oci.manifest import Document
from deadweight.passes.databases.rewrite import rewrite_databases
from deadweight.passes.write import write_filtered
from deadweight.probe.proof import ProbeResult, prove
from deadweight.sandbox import Box, Starter, TracedBox, sandbox_of
from deadweight.scratch import scratch_folder
from deadweight.slimming.base_image import base_layers
from deadweight.slimming.knowing import useless_patterns
from deadweight.slimming.labels import labels_of
from deadweight.slimming.looking import look_at
from deadweight.slimming.missing import missed
from deadweight.slimming.outcome import outcome_of
from deadweight.slimming.recorded import Recorded
from deadweight.slimming.request import AUTO, Request, require_given
from deadweight.slimming.result import Attempt, Proof, SlimResult
from deadweight.slimming.selection import LEVELS, LOSSLESS, PACKAGES, Known, Removal, Selection, select
from deadweight.slimming.self_made.asking import SelfMade, prove_self_made
from deadweight.slimming.self_made.probe import Questioned
from deadweight.slimming.subject import Subject, read_subject
from deadweight.trace.observed import Use
from deadweight.transport.base import Access, Destination, Source
from deadweight.transport.names import open_destination, open_source, parse_destination

_UNTRACED = (PACKAGES, LOSSLESS)
"""The levels for what was not run, or not traced."""
_SHOWN = 3


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
    require_given(request, evidence)
    with (
        open_image(reference, platform, access) as image,
        open_destination(destination, access) as target,
        scratch_folder() as scratch,
    ):
        require_distinct(image.reference, target.reference)
        require_reached(target, image.document, image.source)
        begin = time.monotonic()
        subject = read_subject(image, cache=cache, progress=progress)
        base = base_layers(image, request.keep_base, access) if request.keep_base else 0
        slimming = Slimming(subject, request, scratch, folder, base, progress)
        slimming.look(evidence)
        digest = publish(slimming.try_levels(), target, request)
        return slimming.result(target.reference, digest, time.monotonic() - begin)


def require_reached(target: Destination, document: Document, source: Source) -> None:
    """Raises `DeadweightError` where `target` cannot be reached, as a registry that is off: before an image is run for nothing."""
    target.holds(document.descriptor, source)


def publish(staged: str, target: Destination, request: Request) -> Digest | None:
    """Copies the image `staged`, where there is one, to `target`, and commits it; the digest of its manifest."""
    if not staged:
        return None
    with open_source(staged, AS_DOCKER_WOULD) as source:
        return copy(source, target, compression=None, platform=None, threads=request.threads).digest


def _told_of(varied: Sequence[str]) -> str:
    shown = ", ".join(f"/{path}" for path in varied[:_SHOWN])
    more = f" and {len(varied) - _SHOWN} others" if len(varied) > _SHOWN else ""
    return f"only one of two runs used {shown}{more}: kept, and another run may use others of their kind"


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
        self._why_not_traced = ""
        self._why_not_run = ""
        self._databases: Mapping[str, bytes] = {}
        self._self_made = SelfMade()
        self.would_pass = ""
        self.recorded = Recorded()
        self.attempts: list[Attempt] = []
        self.notes: list[str] = []

    def look(self, evidence: Path | None) -> None:
        """Runs the original, unless the file `evidence` says what it does, and gathers the evidence."""
        looked = look_at(self._subject, self._request, evidence, self._folder)
        self.known, self.recorded, self._why_not_run = looked.known, looked.recorded, looked.why_not_run
        self._databases, self._why_not_traced = looked.databases, looked.why_not_traced
        self._self_made = looked.self_made
        self.notes += useless_patterns(self.known.scene, self._request)
        self.notes += [*self.known.evidence.problems, *self._self_made.notes]
        self.notes += looked.notes(self._request)
        if self.recorded.varied:
            self.notes.append(_told_of(self.recorded.varied))

    def result(self, destination: str, digest: Digest | None, seconds: float) -> SlimResult:
        """All that came of it, for an image that was written to `destination` with `digest`."""
        return SlimResult(
            reference=self._subject.image.reference,
            platform=str(self._subject.image.platform),
            destination=destination,
            before=self._subject.measure(),
            attempts=tuple(self.attempts),
            digest=digest,
            view=self._subject.view,
            evidence=self.known.evidence,
            recorded=self.recorded,
            notes=tuple(self.notes),
            seconds=seconds,
            would_pass=self.would_pass,
        )

    def try_levels(self) -> str:
        """The reference of the first result that passes, in the scratch folder; empty where none does."""
        for level in self.levels():
            self.choose(level)
            staged = self.write()
            if self.passes(staged):
                return staged
        self._try_gentler()
        return ""

    def _try_gentler(self) -> None:
        """Finds the level that would have passed in the place of the one that was asked for."""
        asked = self.selection
        for level in LEVELS[LEVELS.index(asked.level) + 1 :]:
            self.choose(level)
            if not self._tried(self.write()).proof.failed:
                self.would_pass = level
                break
        self.selection = asked

    def levels(self) -> tuple[str, ...]:
        """The levels that are to be tried, the deepest first."""
        if self._request.level == AUTO:
            return _UNTRACED if self._why_not_traced else LEVELS
        return (self._request.level,)

    def choose(self, level: str) -> None:
        """Selects what stays at `level`."""
        self.selection = select(level, self.known)

    def rebase(self, subject: Subject, base: int) -> None:
        """Writes from now on `subject`, an image with the same tree, whose first `base` layers stay as they are."""
        self._written, self._base = subject, base
        self._databases = {}

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
                labels=labels_of(self._subject.image, self.selection.level),
                progress=self._progress,
            )
        return staged

    def passes(self, staged: str) -> bool:
        """Whether the result that was written answers as it is expected to; notes the attempt."""
        attempt = self._tried(staged)
        self.attempts.append(attempt)
        return not attempt.proof.failed

    def _tried(self, staged: str) -> Attempt:
        with open_image(staged) as image:
            result = read_subject(image)
            measure = result.measure()
            outcome = outcome_of(self._subject, result, self.selection.removals)
            if self._why_not_run or not self.recorded.expectations:
                proof = Proof(why_none=self._why_not_run or "the original was not run")
                return Attempt(self.selection.level, measure, proof, outcome=outcome)
            tree = result.view.merged.tree
            with sandbox_of(image, result.indexes, tree, self._request.sandbox) as box:
                self_made = prove_self_made(self._self_made, Questioned(box, tree, image.config.execution))
                proof = Proof((*self._proved(box, image), *self_made), sandbox=box.name)
                missing = self._missing(box, image) if proof.failed and isinstance(box, Box) else ()
            return Attempt(self.selection.level, measure, proof, missing, outcome)

    def _proved(self, box: Starter, image: Image) -> Iterator[ProbeResult]:
        for expectation in self.recorded.expectations:
            yield from prove(box, image.config.execution, expectation, folder=self._folder)

    def _missing(self, box: Box, image: Image) -> tuple[Removal, ...]:
        """What the result looks for in vain: it fails once more, and is traced."""
        traced = TracedBox(box)
        try:
            for _ in self._proved(traced, image):
                pass
        except (LimitExceeded, Unsupported) as error:  # the answer is no, and stays that
            self.notes.append(f"not all was seen that the failed result looks for: {error}")
        return missed(traced.observed().uses[Use.MISSING], self.known.scene, self.selection)
