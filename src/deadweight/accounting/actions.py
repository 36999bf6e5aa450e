"""What is worth doing: findings put together where one change removes several, each byte counted once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from deadweight.accounting.model import BROUGHT, DEAD, HID, Action, Finding, Item
from deadweight.accounting.view import added_wire

_SMALLEST = 1 << 10


@dataclass(frozen=True, slots=True)
class _Rule:
    """One action: the findings that it takes away. What to write is in their remedies."""

    id: str
    title: str
    findings: tuple[str, ...]


_RULES = (
    _Rule("drop-unused", "Leave out packages that nothing requires", ("unused-packages",)),
    _Rule(
        "clean-in-place",
        "Clean up in the RUN that makes the mess",
        ("package-lists", "caches", "logs", "temporary", "leftovers"),
    ),
    _Rule(
        "no-docs", "Install without documentation and translations", ("documentation", "man-pages", "locales")
    ),
    _Rule("build-stage", "Compile in a build stage", ("development", "tests")),
    _Rule("ignore-history", "Leave version control data outside", ("version-control",)),
    _Rule("strip", "Strip programs and libraries", ("debug-sections",)),
    _Rule("no-bytecode", "Leave out Python's bytecode", ("bytecode",)),
    _Rule("link-duplicates", "Link identical files", ("duplicates",)),
)


def actions_for(findings: Iterable[Finding]) -> tuple[Action, ...]:
    """The actions that save at least a kilobyte, largest first."""
    by_id = {finding.id: finding for finding in findings}
    dead = [finding for finding in by_id.values() if finding.kind == DEAD]
    actions = [_dead(finding) for finding in dead]
    if len(dead) > 1:
        actions.append(_flatten(dead))
    for rule in _RULES:
        found = [by_id[name] for name in rule.findings if name in by_id]
        if found:
            found.sort(key=lambda finding: -finding.unpacked)
            detail = "; ".join(dict.fromkeys(finding.remedy.removesuffix(".") for finding in found)) + "."
            actions.append(_action(rule.id, rule.title, detail, _union(found), found))
    actions = [action for action in actions if action.unpacked >= _SMALLEST]
    return tuple(sorted(actions, key=lambda action: (-action.unpacked, action.id)))


_DEAD_TITLES = {
    "deleted": "Delete in the instruction that creates",
    "restated": "Set owners and modes where files are made",
    "superseded": "Write files once",
}


def _dead(finding: Finding) -> Action:
    hid = next((cause for cause in finding.causes if cause.role == HID), None)
    brought = next((cause for cause in finding.causes if cause.role == BROUGHT), None)
    parts = [finding.remedy]
    if hid is not None and brought is not None:
        parts.append(f"Most of it: layer {brought.layer + 1} brings it{_by(brought.instruction)},")
        parts.append(f"layer {hid.layer + 1} hides it{_by(hid.instruction)}.")
    title = _DEAD_TITLES.get(finding.id, finding.title)
    return _action(f"undo-{finding.id}", title, " ".join(parts), finding.items, [finding])


def _by(instruction: str) -> str:
    return f" ({instruction[:80]})" if instruction else ""


def _flatten(dead: Sequence[Finding]) -> Action:
    detail = (
        "Build with --squash, or start a last stage FROM scratch with COPY --from=... / /. It takes away all that no "
        "container sees at once; but the image then shares no layer with others."
    )
    items = [item for finding in dead for item in finding.items]
    return _action("flatten", "Flatten the image into one layer", detail, items, dead)


def _union(findings: Sequence[Finding]) -> Sequence[Item]:
    """Each live path once, with the most that one of `findings` takes of it."""
    if len(findings) == 1:
        return findings[0].items
    union: dict[str, Item] = {}
    for finding in findings:
        for item in finding.items:
            known = union.setdefault(item.path, item)
            if item.unpacked > known.unpacked:
                union[item.path] = item
    return list(union.values())


def _action(name: str, title: str, detail: str, items: Sequence[Item], findings: Sequence[Finding]) -> Action:
    return Action(
        id=name,
        title=title,
        detail=detail,
        unpacked=sum(item.unpacked for item in items),
        wire=added_wire(item.wire for item in items),
        findings=tuple(finding.id for finding in findings),
    )
