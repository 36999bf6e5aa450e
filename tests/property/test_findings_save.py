"""What findings and actions say they save, against taking the listed paths away."""

from __future__ import annotations

from collections.abc import Iterable

from hypothesis import given, reject, settings
from hypothesis import strategies as st

from deadweight.accounting.model import DEAD, Analysis, Finding
from deadweight.errors import InvalidLayer
from layers_by_hand import Member, analysis_of, directory, file, hard_link, link, whiteout

PATHS = (
    "tmp/a",
    "tmp/a/b",
    "var/tmp/c",
    "var/log/x.log",
    "root/.cache/pip/x",
    "srv/app",
    "srv/app/m.py",
    "srv/app/m.pyc",
    "srv/.git/HEAD",
    "srv/.git/objects/x",
    "usr/share/doc/x/README",
    "usr/share/doc/x/copyright",
    "usr/include/x.h",
    "usr/lib/x.a",
)
CONTENTS = (b"", b"one", b"the other content", b"x" * 3000)

paths = st.sampled_from(PATHS)
members = st.one_of(
    st.builds(file, paths, st.sampled_from(CONTENTS)),
    st.builds(file, paths, st.sampled_from(CONTENTS)),
    st.builds(directory, paths),
    st.builds(link, paths, paths.map("/{}".format)),
    st.builds(whiteout, paths),
)


@st.composite
def layers(draw: st.DrawFn) -> list[Member]:
    """A layer in which a path stands once and is a file or a directory, not both; hard links last."""
    found: list[Member] = []
    for member in draw(st.lists(members, max_size=8)):
        if not any(_clash(member.path, other.path) for other in found):
            found.append(member)
    files = [member.path for member in found if member.content]
    if files:
        for target in draw(st.lists(st.sampled_from(files), max_size=2)):
            name = draw(st.sampled_from(["tmp/hard", "srv/hard", "usr/share/doc/hard"]))
            if not any(_clash(name, other.path) for other in found):
                found.append(hard_link(name, target))
    return found


def _clash(a: str, b: str) -> bool:
    return a == b or a.startswith(b + "/") or b.startswith(a + "/")


def accounted(stack: list[list[Member]]) -> Analysis:
    try:
        return analysis_of(*stack)
    except InvalidLayer:
        reject()  # such as a file below a link to itself


def live_bytes(analysis: Analysis, without: Iterable[str] = ()) -> int:
    gone = set(without)
    contents = {
        (node.layer, node.number): node.entry.size
        for path, node in analysis.merged.tree.walk()
        if node.is_file and path not in gone
    }
    return sum(contents.values())


def paths_of(findings: Iterable[Finding]) -> set[str]:
    return {item.path for finding in findings for item in finding.items}


@settings(max_examples=60, deadline=None)
@given(st.lists(layers(), min_size=1, max_size=3))
def test_findings_and_actions_save_what_they_say(stack: list[list[Member]]) -> None:
    analysis = accounted(stack)
    live = live_bytes(analysis)
    assert live == analysis.classes["live"]
    for finding in analysis.findings:
        assert finding.unpacked == sum(item.unpacked for item in finding.items)
        assert finding.wire == sum(item.wire or 0 for item in finding.items)
        assert sum(cause.unpacked for cause in finding.causes) == finding.unpacked * (
            2 if finding.kind == DEAD else 1
        )
        if finding.kind != DEAD:
            assert finding.unpacked == live - live_bytes(analysis, paths_of([finding]))
    by_id = {finding.id: finding for finding in analysis.findings}
    for action in analysis.actions:
        findings = [by_id[name] for name in action.findings]
        if all(finding.kind != DEAD for finding in findings):
            assert action.unpacked == live - live_bytes(analysis, paths_of(findings))


@settings(max_examples=60, deadline=None)
@given(st.lists(layers(), min_size=2, max_size=4))
def test_dead_findings_share_out_what_is_not_live(stack: list[list[Member]]) -> None:
    analysis = accounted(stack)
    dead = [finding for finding in analysis.findings if finding.kind == DEAD]
    entries = [(item.layer, item.number) for finding in dead for item in finding.items]
    assert len(entries) == len(set(entries))
    assert sum(finding.unpacked for finding in dead) == analysis.unpacked - analysis.classes["live"]
    flat = [action for action in analysis.actions if action.id == "flatten"]
    assert all(action.unpacked == analysis.unpacked - analysis.classes["live"] for action in flat)
    assert sum(owner.unpacked for owner in analysis.owners) == analysis.classes["live"]
    assert sum(layer.unpacked for layer in analysis.layers) == analysis.unpacked
