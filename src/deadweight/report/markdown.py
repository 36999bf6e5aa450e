"""An analysis as Markdown, for pull requests."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from deadweight.accounting.model import Analysis
from deadweight.report.units import count, printable, share, size


def render_markdown(analysis: Analysis, top: int) -> str:
    """The sizes, the findings, the remarks and the `top` actions as tables of GitHub's Markdown."""
    parts = [
        f"### {code(analysis.reference)}",
        _sizes(analysis),
        _findings(analysis, top),
        *(plain(remark.text) for remark in analysis.remarks),
        _actions(analysis, top),
        _secrets(analysis),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; all columns but the first are aligned to the right."""
    rule = [":--", *("--:" for _ in head[1:])]
    return "\n".join("| " + " | ".join(row) + " |" for row in [list(head), rule, *rows])


def code(text: str) -> str:
    """`text` as code that nothing in it can end."""
    shown = printable(text).replace("|", "\\|")
    fence = "`"
    while fence in shown:
        fence += "`"
    space = " " if shown.startswith("`") or shown.endswith("`") else ""
    return f"{fence}{space}{shown}{space}{fence}"


def plain(text: str) -> str:
    """`text` with everything escaped that Markdown or HTML would take for markup."""
    shown = printable(text)
    for character in "\\`*_{}[]<>()#|&~@!":
        shown = shown.replace(character, "\\" + character)
    return shown


def _sizes(analysis: Analysis) -> str:
    classes = analysis.classes
    dead = analysis.unpacked - classes["live"]
    rows = [
        ["wire", size(analysis.wire) + (" (estimated)" if analysis.wire_estimated else "")],
        ["unpacked", size(analysis.unpacked)],
        ["dead", f"{size(dead)} ({share(dead, analysis.unpacked)})"],
        *([f"– {kind}", size(classes[kind])] for kind in ("superseded", "restated", "deleted")),
        ["layers", str(len(analysis.layers))],
    ]
    return table(["", "size"], rows)


def _findings(analysis: Analysis, top: int) -> str:
    rows = [
        [plain(finding.title), size(finding.unpacked), size(finding.wire), f"{len(finding.items):,}"]
        for finding in analysis.findings[:top]
    ]
    return table(["finding", "unpacked", "wire", "files"], rows) if rows else ""


def _actions(analysis: Analysis, top: int) -> str:
    lines = [
        f"{number}. **{plain(action.title)}**: {size(action.unpacked)} unpacked, {size(action.wire)} wire. "
        f"{plain(action.detail)}"
        for number, action in enumerate(analysis.actions[:top], 1)
    ]
    return "\n".join(["**Worth doing**", "", *lines]) if lines else ""


def _secrets(analysis: Analysis) -> str:
    if not analysis.secrets:
        return ""
    rows = [
        [code(secret.path), secret.kind, _place(secret.layer), "yes" if secret.live else "no"]
        for secret in analysis.secrets
    ]
    title = f"**{count(len(analysis.secrets), 'secret')}**"
    return title + "\n\n" + table(["path", "kind", "layer", "visible"], rows)


def _place(layer: int) -> str:
    return str(layer + 1) if layer >= 0 else "config"
