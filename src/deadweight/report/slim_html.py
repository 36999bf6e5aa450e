"""What slimming kept and removed as one self-contained HTML page."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from dataclasses import replace

from deadweight.accounting.model import SUSPECT, Finding, Item
from deadweight.evidence.model import Evidence
from deadweight.report.blocks import figure, section, table
from deadweight.report.html import page
from deadweight.report.markup import Html, element, fragment
from deadweight.report.slimming import factor, removed_by_kind, rows, unknown_wire, verdict
from deadweight.report.treemap import CONTENT, NAME, Cells, Notes, Treemap, Words, build, categories_of
from deadweight.report.units import count, size
from deadweight.slimming.result import SlimResult
from deadweight.slimming.selection import REWRITTEN, Removal
from deadweight.tree.merge import CLASSES
from deadweight.tree.node import Tree

WORDS = Words("Kept", "Removed", "Kept", "Removed", "Removed as", "Needed")
PATTERNS = ("dotted", "level", "upright")
"""Over what is removed, so that colour is not the only sign: what is kept is plain, what no container sees is hatched."""
MAX_PATHS = 100
"""Removed paths that are listed; the treemap has them all."""
_HELP = (
    "Each cell is a file of a layer of the original, its area the bytes that it takes. Plain grey cells were kept. All coloured "
    "and patterned ones were removed: hatched warm colours because no container sees them, the others for the reason that "
    "the legend gives; of a file that was written anew only a part went."
)


def render_slim_html(result: SlimResult) -> str:
    """The page of `result`: before and after, the treemap of the original, what was removed and why, the proof.

    The same result gives the same bytes.
    """
    cells = slim_treemap(result)
    return page(
        f"{result.reference}, slimmed",
        _heading(result),
        _figures(result),
        fragment(*_sections(result)),
        cells,
        _HELP,
    )


def slim_treemap(result: SlimResult) -> Treemap:
    """The treemap of the original: what goes is coloured, and what stays says what needs it."""
    view = result.view
    outcome = result.attempt.outcome
    findings = list(_findings(outcome.removals, view.merged.tree))
    categories = categories_of(findings, WORDS.live, PATTERNS)
    treemap = build(view.ledger, view.merged, view.inventory, view.instructions, findings, categories)
    cells = _with_kept_layers(treemap.cells, outcome.unchanged)
    return replace(treemap, cells=cells, words=WORDS, notes=_notes(cells, result.evidence))


def _with_kept_layers(cells: Cells, unchanged: Container[int]) -> Cells:
    """`cells` of which those in `unchanged` layers are kept, also where no container sees them."""
    pairs = zip(cells.layer, cells.category, strict=True)
    categories = [
        0 if layer in unchanged and category < len(CLASSES) else category for layer, category in pairs
    ]
    return replace(cells, category=categories)


def _findings(removals: Sequence[Removal], tree: Tree) -> Iterator[Finding]:
    """What goes for each reason as a finding, the largest first: items of files only, since links are not shown. A file that was
    written anew is one in part.
    """
    items: dict[str, list[Item]] = {}
    for removal in removals:
        node = tree.files.get(removal.path)
        if node is not None:
            items.setdefault(removal.kind, []).append(Item(removal.path, node.layer, removal.unpacked, None))
    for one in removed_by_kind(removals):
        if one.kind in items:
            yield Finding(one.kind, SUSPECT, one.title, "", "", one.unpacked, None, tuple(items[one.kind]))


def _notes(cells: Cells, evidence: Evidence) -> Notes:
    """For each kept file the first step of its chain of evidence."""
    texts = {"": 0}
    numbers = []
    for path, kind, category in zip(cells.path, cells.kind, cells.category, strict=True):
        reason = evidence.reasons.get(path) if kind in (CONTENT, NAME) and not category else None
        text = ""
        if reason is not None:
            source = f" – by /{reason.source}" if reason.source else ""
            text = f"{reason.because} [{reason.rule}]{source}"
        numbers.append(texts.setdefault(text, len(texts)))
    return Notes(numbers, tuple(texts))


def _heading(result: SlimResult) -> Html:
    facts = [result.destination, str(result.digest) if result.digest is not None else "not written"]
    return fragment(
        element("h1", result.reference),
        element("p", *(element("span", element("code", fact)) for fact in facts), class_="facts"),
    )


def _figures(result: SlimResult) -> Html:
    before, after = result.before, result.attempt.after
    proof = result.attempt.proof
    level = result.attempt.level if result.digest is not None else "none"
    shown = [
        (
            "Wire",
            size(after.wire),
            unknown_wire(result) or f"of {size(before.wire)}, {factor(before.wire, after.wire)}",
        ),
        (
            "Unpacked",
            size(after.unpacked),
            f"of {size(before.unpacked)}, {factor(before.unpacked, after.unpacked)}",
        ),
        ("Files", f"{after.files:,}", f"of {before.files:,}"),
        ("Packages", f"{after.packages:,}", f"of {before.packages:,}"),
        ("Level", level, f"{count(len(result.attempts), 'level')} tried"),
        (
            "Proof",
            f"{proof.passed:,}",
            f"of {count(len(proof.results), 'probe')} passed" if proof.results else "none",
        ),
    ]
    return element("dl", *(figure(*one) for one in shown), class_="figures")


def _sections(result: SlimResult) -> Iterator[Html]:
    yield section(
        "Before and after", f"{verdict(result)}.", table(("", "#Before", "#After", "#Factor"), rows(result))
    )
    outcome = result.attempt.outcome
    removals = outcome.removals
    swatch_rows = [
        [
            fragment(
                element("i", class_="swatch", data_category=one.kind),
                element("button", one.title, type="button", class_="go link", data_category=one.kind),
            ),
            f"{one.files:,}",
            size(one.unpacked),
        ]
        for one in removed_by_kind(removals)
    ]
    yield section(
        "Removed",
        f"By reason, the largest first; beside it goes what no container sees, {size(outcome.dead)}. "
        "A line leads into the treemap.",
        table(("Reason", "#Paths", "#Unpacked"), swatch_rows),
    )
    if outcome.packages:
        yield section(
            "Packages that are gone",
            "Nothing of them is left that anybody uses.",
            table(("Package", "Version"), [[one.label, one.version] for one in outcome.packages]),
        )
    gone = (one for one in removals if one.kind != REWRITTEN)
    largest = sorted(gone, key=lambda one: (-one.unpacked, one.path))
    paths = [[element("code", f"/{one.path}"), one.owner, size(one.unpacked)] for one in largest]
    yield section(
        "The largest removed paths",
        "The treemap has them all.",
        table(("Path", "Package", "#Unpacked"), paths, most=MAX_PATHS),
    )
    yield _proof(result)
    if result.notes:
        notes = [element("li", note) for note in result.notes]
        yield section("Notes", "What could not be looked into.", element("ul", *notes))


def _proof(result: SlimResult) -> Html:
    found = []
    for attempt in result.attempts:
        for outcome in attempt.proof.results:
            differences = [
                element("small", f"{one.what}: {one.expected} → {one.found}", class_="detail")
                for one in outcome.differences
            ]
            probe = fragment(element("code", outcome.probe), *differences)
            found.append([attempt.level, probe, "passed" if outcome.passed else "FAILED"])
    if not found:
        return section("Proof", f"None: {result.attempt.proof.why_none}.")
    note = "Every probe was asked of the original, twice, and of the result."
    return section("Proof", note, table(("Level", "Probe", ""), found))
