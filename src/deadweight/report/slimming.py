"""What slimming did, on one screen of a terminal and as Markdown."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from rich.console import Console, Group
from rich.padding import Padding
from rich.text import Text

from deadweight.accounting.findings.kinds import KINDS
from deadweight.report.console import listing, section
from deadweight.report.markdown import code, plain, table
from deadweight.report.side_by_side import SideBySide
from deadweight.report.units import UNCOMPRESSED, UNKNOWN, count, printable, size
from deadweight.sandbox import BUBBLEWRAP
from deadweight.slimming.result import Attempt, Proof, SlimResult
from deadweight.slimming.selection import BOOKS, DROPPED, REWRITTEN, UNREACHED, UNUSED_PACKAGE, Removal

_TITLES = {
    **{kind.id: kind.title for kind in KINDS},
    UNUSED_PACKAGE: "Packages that nothing needs",
    UNREACHED: "Files of packages that nothing reaches",
    DROPPED: "Dropped, as asked for",
    BOOKS: "Entries of packages that are gone",
    REWRITTEN: "Package databases, written anew",
}


@dataclass(frozen=True, slots=True)
class Removed:
    """All that goes for one reason."""

    kind: str
    title: str
    files: int
    unpacked: int
    """Content bytes."""


def title_of(kind: str) -> str:
    """How reports call the kind of a `Removal`."""
    return _TITLES.get(kind, kind)


def removed_by_kind(removals: Iterable[Removal]) -> list[Removed]:
    """What goes, by reason, the largest first."""
    sums: dict[str, tuple[int, int]] = {}
    for removal in removals:
        files, unpacked = sums.get(removal.kind, (0, 0))
        sums[removal.kind] = files + 1, unpacked + removal.unpacked
    found = [Removed(kind, title_of(kind), *counted) for kind, counted in sums.items()]
    return sorted(found, key=lambda one: (-one.unpacked, one.kind))


def rows(result: SlimResult) -> list[tuple[str, str, str, str]]:
    """What is measured, with its values before and after and how many times less it is."""
    before, after = result.before, result.attempt.after
    sizes = [("wire", before.wire, after.wire), ("unpacked", before.unpacked, after.unpacked)]
    counts = [
        ("files", before.files, after.files),
        ("layers", before.layers, after.layers),
        ("packages", before.packages, after.packages),
        ("programs", before.executables, after.executables),
        ("setuid files", before.setuid, after.setuid),
        ("shells", before.shells, after.shells),
    ]
    return [
        *((name, size(one), size(other), factor(one, other)) for name, one, other in sizes),
        *((name, f"{one:,}", f"{other:,}", factor(one, other)) for name, one, other in counts),
    ]


def factor(before: int | None, after: int | None) -> str:
    """``3.4x``: how many times less `after` is."""
    return f"{before / after:.1f}x" if before and after else UNKNOWN


def unknown_wire(result: SlimResult) -> str:
    """Why a wire size is unknown, and so no more than a dash; empty where both are known."""
    if result.before.wire is None:
        return UNCOMPRESSED
    return "the result is held uncompressed" if result.attempt.after.wire is None else ""


def verdict(result: SlimResult) -> str:
    """One sentence: the level that was reached, and what that was proved by."""
    attempt = result.attempt
    if result.digest is None:
        would = f"; level {result.would_pass} passes" if result.would_pass else ""
        return f"nothing was written: {_told(attempt.proof)} at level {attempt.level}{would}"
    return f"level {attempt.level}, {_told(attempt.proof)}"


def print_slim(result: SlimResult, console: Console, top: int) -> None:
    """Prints sizes before and after, what was removed, the proof and the notes; `top` bounds the rows of each list."""
    head = f"{printable(result.reference)} -> {printable(result.destination)}"
    console.print(Text(head, style="bold", overflow="fold"), soft_wrap=True)
    console.print(Text(f"{result.platform}: {verdict(result)}"))
    sizes = listing("", "before", "after", "factor", "")
    for row in rows(result):
        sizes.add_row(*row, "")
    unknown = Text(_wire_note(result), style="dim")
    console.print(section("size", Group(sizes, unknown) if unknown else sizes))
    gone = removed_by_kind(result.attempt.outcome.removals)
    if gone:
        removed = listing("what goes", "files", "unpacked", "")
        for one in gone[:top]:
            removed.add_row(one.title, f"{one.files:,}", size(one.unpacked), "")
        console.print(section(_titled("removed", len(gone) - top), removed))
    if any(attempt.proof.results for attempt in result.attempts):
        console.print(_proofs(result, top))
    for attempt in result.attempts:
        _print_failure(attempt, console, top)
    for note in result.notes:
        console.print(Text(f"note: {printable(note)}"))
    if result.digest is not None:
        console.print(Text(""))
        console.print(Text(str(result.digest)))
    console.print(Text(f"{result.seconds:.1f} seconds", style="dim"))


def render_slim_markdown(result: SlimResult, top: int) -> str:
    """The same as tables of GitHub's Markdown."""
    removed = [
        (plain(one.title), f"{one.files:,}", size(one.unpacked))
        for one in removed_by_kind(result.attempt.outcome.removals)[:top]
    ]
    probes = [
        ("passed" if outcome.passed else "**failed**", code(outcome.probe))
        for outcome in result.attempt.proof.results
    ]
    parts = [
        f"### {code(result.reference)}",
        plain(verdict(result)),
        table(["", "before", "after", "factor"], rows(result)),
        _wire_note(result),
        table(["removed", "files", "unpacked"], removed) if removed else "",
        table(["proof", "probe"], probes) if probes else "",
        *(_failure(attempt, top) for attempt in result.attempts),
        *(plain(note) for note in result.notes),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _wire_note(result: SlimResult) -> str:
    unknown = unknown_wire(result)
    return f"wire {UNKNOWN}: {unknown}" if unknown else ""


def _told(proof: Proof) -> str:
    if not proof.results:
        return f"not proved: {proof.why_none}"
    if proof.failed:
        return f"{proof.failed} of {count(len(proof.results), 'probe')} failed"
    by = f", run by {proof.sandbox}" if proof.sandbox not in ("", BUBBLEWRAP) else ""
    return f"proved by {count(proof.passed, 'probe')}{by}"


def _proofs(result: SlimResult, top: int) -> Group:
    table = listing("level", "probe", "", left=2)
    more = 0
    for attempt in result.attempts:
        for place, outcome in enumerate(attempt.proof.results):
            if place >= top and outcome.passed:
                more += 1
            else:
                passed = "passed" if outcome.passed else "FAILED"
                table.add_row(attempt.level, printable(outcome.probe), passed)
    return section(_titled("proof", more), table)


def _titled(title: str, more: int) -> str:
    """The heading of a list of which `more` rows are not shown."""
    return f"{title} ({more:,} more)" if more > 0 else title


def _print_failure(attempt: Attempt, console: Console, top: int) -> None:
    """What differs side by side, and what was looked for in vain."""
    for outcome in attempt.proof.results:
        for difference in outcome.differences:
            console.print(Text(f"\n{attempt.level}: {printable(outcome.probe)}", style="bold red"))
            console.print(Padding(SideBySide(difference), (0, 0, 0, 2)))
    if attempt.missing:
        found = listing("looked for, and removed", "because", "", left=2)
        for path, because in _missing(attempt, top):
            found.add_row(path, because, "")
        console.print(
            section(f"missing at level {attempt.level}; --keep them, or take a gentler level", found)
        )


def _failure(attempt: Attempt, top: int) -> str:
    """The same as Markdown; empty where nothing failed."""
    differing = [
        (code(outcome.probe), plain(one.what), code(one.expected), code(one.found))
        for outcome in attempt.proof.results
        for one in outcome.differences
    ]
    missing = [(code(path), plain(because)) for path, because in _missing(attempt, top)]
    parts = [
        table([f"failed at level {attempt.level}", "", "original", "result"], differing) if differing else "",
        table([f"looked for at level {attempt.level}, and removed", "because"], missing) if missing else "",
    ]
    return "\n\n".join(part for part in parts if part)


def _missing(attempt: Attempt, top: int) -> list[tuple[str, str]]:
    """The first of the paths that were looked for in vain, each with why it is gone."""
    return [
        (f"/{printable(one.path)}", f"{title_of(one.kind)} {printable(one.owner)}".strip())
        for one in attempt.missing[:top]
    ]
