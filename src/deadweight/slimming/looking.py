"""Looks at an original: runs it, unless a file says what it does, and gathers the evidence for all that it holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from deadweight.errors import NotReady, Unsupported
from deadweight.evidence.scene import Contents
from deadweight.image import Image
from deadweight.oci.descriptor import Platform
from deadweight.passes.databases.rewrite import MAX_DATABASES, database_files
from deadweight.probe.workload import Workload
from deadweight.sandbox import AUTO, Box, Starter, require_sandbox, sandbox_of
from deadweight.sandbox.contents import UnpackedContents, plain_contents
from deadweight.slimming.evidence_file import read_evidence
from deadweight.slimming.knowing import know, packages_named
from deadweight.slimming.recorded import Recorded, record_traced, record_untraced
from deadweight.slimming.request import AUTO as ANY_LEVEL
from deadweight.slimming.request import Request
from deadweight.slimming.selection import FILES, Known
from deadweight.slimming.self_made.asking import SelfMade, ask_original
from deadweight.slimming.self_made.probe import Questioned
from deadweight.slimming.subject import Subject
from deadweight.trace.observed import Observed, merge
from deadweight.trace.read import read_trace
from deadweight.trace.strace import strace


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
    why_not_traced: str = ""
    """What keeps from knowing which files were used, as said of the image; then level `files` is not to be had. Else empty."""
    self_made: SelfMade = SelfMade()  # noqa: RUF009 - it is frozen

    def notes(self, request: Request) -> Iterator[str]:
        """What a user should know of it who left the level open: that a program is missing, say."""
        if self.was_run and self.why_not_traced and request.level == ANY_LEVEL:
            yield f"level packages is the deepest: the image {self.why_not_traced}"


def look_at(subject: Subject, request: Request, evidence: Path | None, folder: Path) -> Looked:
    """Runs `subject`, unless `evidence` is a file with what an earlier run found out, and gathers the evidence.

    Scripts are relative to `folder`. Where no sandbox can be made, or a program that nothing is to be asked cannot be
    started, the evidence is what the files themselves tell.
    Raises `Unsupported` where that is not enough for the level that is asked for, and `DeadweightError`.
    """
    for name in request.keep_packages:
        packages_named(subject.view.inventory, name)  # a mistake is told before anything runs
    traces = _traces(subject, request)
    workloads = request.workloads or (Workload(),)
    recorded = Recorded()
    if evidence is not None:
        recorded = read_evidence(evidence, subject.image.config.execution, workloads)
    with _unpacked(subject, request) as (contents, box, why_not):
        if box is not None and evidence is None:
            try:
                recorded = _recorded(box, subject, request, workloads, folder)
            except NotReady as error:
                if request.level == FILES or any(workload.probes for workload in workloads):
                    raise
                why_not = str(error)  # it may need what only its user could give it
            except Unsupported as error:  # no container could be made, though it seemed so
                refused = _refused(box, request) or error
                if request.level == FILES:
                    raise refused from None
                why_not = str(refused)
        was_run = bool(recorded.expectations)
        if why_not:
            was_run = was_run and recorded.digest == str(subject.image.digest)
        why_not_traced = ""
        if not was_run:
            why_not_traced = f"cannot be run: {why_not}" if why_not else "was not run"
        elif not recorded.is_traced:
            why_not_traced = _why_not_traced(box, request) if evidence is None else "was run without a trace"
        _require_reached(subject.image, request, why_not_traced)
        known = know(subject, contents, merge([recorded.observed, *traces]), request)
        self_made = SelfMade()
        if box is not None and recorded.expectations:  # without them no result is run
            original = Questioned(box, subject.view.merged.tree, subject.image.config.execution)
            self_made = ask_original(original, known, recorded)
        databases = _databases(subject, contents)
        return Looked(known, recorded, databases, was_run, why_not, why_not_traced, self_made)


def look_without_running(subject: Subject, request: Request) -> Looked:
    """The same from what the files themselves tell."""
    why_not = "as asked for"
    why_not_traced = f"was not run, {why_not}"
    _require_reached(subject.image, request, why_not_traced)
    traces = _traces(subject, request)
    with plain_contents(subject.image, subject.indexes, subject.view.merged.tree) as contents:
        known = know(subject, contents, merge(traces), request)
        databases = _databases(subject, contents)
        return Looked(known, Recorded(), databases, why_not_run=why_not, why_not_traced=why_not_traced)


def _traces(subject: Subject, request: Request) -> list[Observed]:
    return [read_trace(path, subject.view.merged.tree) for path in request.traces]


def _recorded(
    box: Starter, subject: Subject, request: Request, workloads: Sequence[Workload], folder: Path
) -> Recorded:
    """What the original does in `box`, traced where that is possible."""
    why_not = _why_not_traced(box, request)
    if why_not or not isinstance(box, Box):
        _require_reached(subject.image, request, why_not)
        return record_untraced(box, subject.image, workloads, folder)
    return record_traced(box, subject.image, workloads, folder)


def _why_not_traced(box: Starter | None, request: Request) -> str:
    """What keeps programs in `box` from being traced, as said of an image; empty where they can be."""
    if box is None:
        return ""
    problems = []
    if isinstance(box, Box):
        missing = _missed(strace)
    else:
        problems.append(f"{box.name} traces nothing")
        missing = _refused(box, request)
    if missing is not None:
        problems += [missing.problem, missing.remedy]
    return f"cannot be traced: {'; '.join(problems)}" if problems else ""


def _refused(box: Starter, request: Request) -> Unsupported | None:
    """What plainly keeps bubblewrap from being used, where an engine stands in for it unasked."""
    return _missed(require_sandbox) if request.sandbox.kind == AUTO and not isinstance(box, Box) else None


def _missed(required: Callable[[], object]) -> Unsupported | None:
    try:
        required()
    except Unsupported as error:
        return error
    return None


def _require_reached(image: Image, request: Request, why_not_traced: str) -> None:
    """Raises `Unsupported` where the level of files is asked for, and it is not known which files were used."""
    if request.level == FILES and why_not_traced:
        remedy = "take --level packages, or --evidence from where it can"
        problem = f"cannot be slimmed at level files: it {why_not_traced}"
        raise Unsupported(image.reference, problem, remedy)


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
