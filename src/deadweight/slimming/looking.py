"""Looks at an original: runs it, unless a file says what it does, and gathers the evidence for all that it holds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from deadweight.errors import NotReady, Unsupported
from deadweight.evidence.scene import Contents
from deadweight.image import Image
from deadweight.oci.descriptor import Platform
from deadweight.passes.databases.rewrite import MAX_DATABASES, database_files
from deadweight.probe.workload import Workload
from deadweight.sandbox import Box, Starter, sandbox_of
from deadweight.sandbox.contents import UnpackedContents, plain_contents
from deadweight.slimming.evidence_file import read_evidence
from deadweight.slimming.knowing import know, packages_named
from deadweight.slimming.recorded import Recorded, record_original
from deadweight.slimming.request import Request
from deadweight.slimming.selection import FILES, Known
from deadweight.slimming.self_made.asking import SelfMade, ask_original
from deadweight.slimming.self_made.probe import Questioned
from deadweight.slimming.subject import Subject


@dataclass(frozen=True, slots=True)
class Looked:
    """What is known of an original."""

    known: Known
    recorded: Recorded
    databases: Mapping[str, bytes]
    """The contents of package databases, as far as they are at hand."""
    was_run: bool = False
    """Whether the original was run: here, or where the file with evidence was written. If nothing can be run here, that has to be
    of this very image, since no result can be held against it."""
    why_not_run: str = ""
    """Why no sandbox could be made, where that is so."""
    self_made: SelfMade = SelfMade()  # noqa: RUF009 - it is frozen


def look_at(subject: Subject, request: Request, evidence: Path | None, folder: Path) -> Looked:
    """Runs `subject`, unless `evidence` is a file with what an earlier run found out, and gathers the evidence.

    Scripts are relative to `folder`. Where no sandbox can be made, or a program that nothing is to be asked cannot be
    started, the evidence is what the files themselves tell.
    Raises `DeadweightError`.
    """
    for name in request.keep_packages:
        packages_named(subject.view.inventory, name)  # a mistake is told before anything runs
    workloads = request.workloads or (Workload(),)
    recorded = Recorded()
    if evidence is not None:
        recorded = read_evidence(evidence, subject.image.config.execution, workloads)
    with _unpacked(subject, request) as (contents, box, why_not):
        if box is not None and evidence is None:
            try:
                recorded = record_original(box, subject.image, workloads, folder)
            except NotReady as error:
                if request.level == FILES or any(workload.probes for workload in workloads):
                    raise
                why_not = str(error)  # it may need what only its user could give it
        known = know(subject, contents, recorded.observed, request)
        was_run = bool(recorded.expectations)
        if why_not:
            was_run = was_run and recorded.digest == str(subject.image.digest)
        self_made = SelfMade()
        if box is not None and recorded.expectations:  # without them no result is run
            original = Questioned(box, subject.view.merged.tree, subject.image.config.execution)
            self_made = ask_original(original, known, recorded)
        return Looked(known, recorded, _databases(subject, contents), was_run, why_not, self_made)


def look_without_running(subject: Subject, request: Request) -> Looked:
    """The same from what the files themselves tell."""
    with plain_contents(subject.image, subject.indexes, subject.view.merged.tree) as contents:
        recorded = Recorded()
        known = know(subject, contents, recorded.observed, request)
        return Looked(known, recorded, _databases(subject, contents), why_not_run="as asked for")


@contextmanager
def _unpacked(subject: Subject, request: Request) -> Iterator[tuple[UnpackedContents, Starter | None, str]]:
    """The contents of the original and, where a sandbox can be made, that; else why it cannot."""
    tree = subject.view.merged.tree
    with ExitStack() as stack:
        box: Starter | None = None
        why_not = ""
        try:
            _require_host(subject.image)
            box = stack.enter_context(sandbox_of(subject.image, subject.indexes, tree, request.sandbox))
        except Unsupported as error:
            why_not = str(error)
        if isinstance(box, Box):
            yield box.contents, box, why_not
            return
        contents = stack.enter_context(plain_contents(subject.image, subject.indexes, tree))
        yield contents, box, why_not


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
