"""What is worth doing: findings put together where one change removes several, each byte counted once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from deadweight.accounting.model import BROUGHT, DEAD, HID, Action, Finding, Item
from deadweight.accounting.view import added_wire

_SMALLEST = 1 << 10


@dataclass(frozen=True, slots=True)
class _Rule:
    """One action: the findings that it takes away."""

    id: str
    title: str
    detail: str
    findings: tuple[str, ...]


_RULES = (
    _Rule(
        "drop-unused",
        "Leave out packages that nothing requires",
        "Install with --no-install-recommends, and keep build tools in a build stage.",
        ("unused-packages",),
    ),
    _Rule(
        "clean-in-place",
        "Clean up in the RUN that makes the mess",
        "Package lists, caches, logs and temporary files: delete them before the instruction ends, or mount a cache there.",
        ("package-lists", "caches", "logs", "temporary", "leftovers"),
    ),
    _Rule(
        "no-docs",
        "Install without documentation and translations",
        "Tell the package manager to leave them out (dpkg: path-exclude; dnf: tsflags=nodocs).",
        ("documentation", "man-pages", "locales"),
    ),
    _Rule(
        "build-stage",
        "Compile in a build stage",
        "Headers, static libraries and version control data stay behind when only the result is copied.",
        ("development", "version-control"),
    ),
    _Rule(
        "strip",
        "Strip programs and libraries",
        "strip --strip-unneeded; for Go -ldflags '-s -w'.",
        ("debug-sections",),
    ),
    _Rule(
        "no-bytecode",
        "Leave out Python's bytecode",
        "PYTHONDONTWRITEBYTECODE=1 and pip install --no-compile; each start then compiles what it imports.",
        ("bytecode",),
    ),
    _Rule(
        "link-duplicates",
        "Link identical files",
        "Make copies hard links of one file.",
        ("duplicates",),
    ),
)


def actions_for(findings: Iterable[Finding]) -> tuple[Action, ...]:
    """The actions that save at least a kilobyte, largest first."""
    by_id = {finding.id: finding for finding in findings}
    actions = [_dead(finding) for finding in by_id.values() if finding.kind == DEAD]
    for rule in _RULES:
        found = [by_id[name] for name in rule.findings if name in by_id]
        if found:
            items = _union(item for finding in found for item in finding.items)
            actions.append(_action(rule.id, rule.title, rule.detail, items, found))
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


def _union(items: Iterable[Item]) -> Sequence[Item]:
    """Each path of each layer once, with the most that one finding takes of it."""
    union: dict[tuple[int, str], Item] = {}
    for item in items:
        key = item.layer, item.path
        known = union.get(key)
        if known is None or item.unpacked > known.unpacked:
            union[key] = item
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
