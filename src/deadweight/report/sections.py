"""The parts of the HTML report that need no script: figures, actions, findings, layers, owners, surface."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from deadweight.accounting.model import (
    BROUGHT,
    DEAD,
    HID,
    SUSPECT,
    Action,
    Analysis,
    Cause,
    Finding,
    Item,
    LayerSummary,
    OwnerSummary,
    Secret,
)
from deadweight.report.blocks import MAX_ROWS, figure, section, table, term
from deadweight.report.markup import Html, element, fragment
from deadweight.report.treemap import MAX_LABEL, UNOWNED, Treemap, owner_label
from deadweight.report.units import UNCOMPRESSED, count, share, size
from deadweight.tree.merge import CLASSES, DELETED, LIVE, RESTATED, SUPERSEDED

MAX_OWNERS = 30
"""Owners that are shown; the treemap has them all."""
MAX_ITEMS = 10
"""Paths of a finding that are shown; the treemap has them all."""

_CLASS_NOTES = {
    LIVE: "what a container sees",
    SUPERSEDED: "a later layer changed it",
    RESTATED: "a later layer has the same content again",
    DELETED: "a later layer deleted it",
}


def heading(analysis: Analysis) -> Html:
    """The image's name and what identifies it."""
    facts = (str(analysis.platform), analysis.inventory.distribution)
    return fragment(
        element("h1", analysis.reference),
        element(
            "p",
            element("span", element("code", analysis.digest), title="Digest"),
            *(element("span", fact) for fact in facts if fact),
            class_="facts",
        ),
    )


def figures(analysis: Analysis, treemap: Treemap) -> Html:
    """The few numbers that matter most, and the bar of classes."""
    dead = analysis.unpacked - analysis.classes[LIVE]
    suspect = treemap.suspect
    surface = analysis.surface
    packages = sum(surface.packages.values())
    contents = f"{count(sum(layer.files for layer in analysis.layers), 'file')} in {count(len(analysis.layers), 'layer')}"
    entry = f"{count(len(surface.shells), 'shell')}, {len(surface.setuid)} setuid"
    return fragment(
        element(
            "dl",
            figure("Wire", size(analysis.wire), _wire_note(analysis)),
            figure("Unpacked", size(analysis.unpacked), contents),
            figure(
                "Dead",
                size(dead),
                f"{share(dead, analysis.unpacked)} no container sees",
                "dead" if dead else None,
            ),
            figure("Suspect", size(suspect), f"{share(suspect, analysis.unpacked)} live, likely needless"),
            figure(
                "Secrets",
                f"{len(analysis.secrets):,}",
                "listed below" if analysis.secrets else "none found",
                "alarm" if analysis.secrets else None,
            ),
            figure("Surface", count(packages, "package"), entry),
            class_="figures",
        ),
        _class_bar(analysis),
    )


def sections(analysis: Analysis) -> Html:
    """All that stands below the treemap."""
    return fragment(*_sections(analysis))


def _sections(analysis: Analysis) -> Iterator[Html]:
    if analysis.secrets:
        yield section(
            "Secrets",
            "Keys, tokens and credentials in any layer. Their values are nowhere in this report.",
            table(("Path", "Kind", "Layer", "Visible"), [_secret(secret) for secret in analysis.secrets]),
        )
    if analysis.actions:
        largest = max(action.unpacked for action in analysis.actions)
        yield section(
            "Worth doing",
            "Largest first. What overlaps is counted once within an action.",
            element("ol", *(_action(action, largest) for action in analysis.actions), class_="actions"),
        )
    for kind, title, note in (
        (
            DEAD,
            "Dead weight",
            "Contents that no container can see, yet every pull moves and every disk holds.",
        ),
        (SUSPECT, "Suspects", "Live contents that are probably needless. They may overlap."),
    ):
        # What a remark is about would be a suspect.
        remarks = [element("p", remark.text, class_="note") for remark in analysis.remarks if kind == SUSPECT]
        findings = [_finding(finding) for finding in analysis.findings if finding.kind == kind]
        if remarks or findings:
            yield section(title, note, *remarks, *findings)
    yield section(
        "Layers",
        "Base first, each with the instruction that made it.",
        table(
            ("#", "Instruction", "Classes", "#Files", "#Unpacked", "#Wire"),
            [_layer(each) for each in analysis.layers],
        ),
    )
    live = analysis.classes[LIVE]
    yield section(
        "Owners",
        "Who brought the live bytes.",
        table(
            ("Package", "Version", "#Files", "#Share", "#Unpacked", "#Wire"),
            [_owner(owner, live) for owner in analysis.owners],
            most=MAX_OWNERS,
        ),
    )
    yield _surface(analysis)
    yield _dive(analysis)
    if analysis.problems:
        problems = [element("li", problem) for problem in analysis.problems]
        yield section("Not looked at", "What could not be read, and why.", element("ul", *problems))


def _wire_note(analysis: Analysis) -> str:
    if analysis.wire is None:
        return UNCOMPRESSED
    return "estimated" if analysis.wire_estimated else "what a pull moves"


def _class_bar(analysis: Analysis) -> Html:
    keys = [
        element(
            "li",
            element("i", class_=f"swatch {kind}"),
            element("b", kind.capitalize()),
            f" {size(analysis.classes[kind])} ",
            element("small", share(analysis.classes[kind], analysis.unpacked)),
            title=_CLASS_NOTES[kind],
        )
        for kind in CLASSES
    ]
    return element(
        "figure",
        _bar(analysis.classes),
        element("ul", *keys, class_="keys", aria_label="Unpacked bytes by class"),
        class_="classes",
    )


def _bar(classes: Mapping[str, int]) -> Html:
    parts = [
        element(
            "span",
            class_=f"part {kind}",
            style=f"flex-grow:{classes[kind]}",
            title=f"{kind}: {size(classes[kind])}",
        )
        for kind in CLASSES
        if classes[kind]
    ]
    return element("div", *parts, class_="bar", aria_hidden="true")


def _secret(secret: Secret) -> list[str]:
    in_layer = secret.layer >= 0
    return [
        element("code", "/" + secret.path if in_layer else secret.path),
        secret.kind,
        _layer_number(secret.layer),
        "live" if secret.live else "hidden by a later layer, still in the image",
    ]


def _layer_number(position: int) -> str:
    return str(position + 1) if position >= 0 else "config"


def _action(action: Action, largest: int) -> Html:
    width = 100 * action.unpacked / (largest or 1)
    return element(
        "li",
        element("div", element("h3", action.title), element("p", action.detail), class_="what"),
        element(
            "div",
            _saving(action.unpacked, action.wire, "≈ "),
            element("span", element("span", style=f"width:{width:.2f}%"), class_="meter", aria_hidden="true"),
            class_="worth",
        ),
    )


def _saving(unpacked: int, wire: int | None, about: str) -> Html:
    on_wire = f"{about}{size(wire)} on the wire" if wire is not None else "unpacked"
    return fragment(element("strong", size(unpacked)), " ", element("small", on_wire))


def _finding(finding: Finding) -> Html:
    more = len(finding.items) - MAX_ITEMS
    return element(
        "details",
        element(
            "summary",
            element("i", class_="swatch", data_category=finding.id),
            element("span", finding.title, class_="title"),
            element("small", count(len(finding.items), "path"), class_="count"),
            element(
                "span", _saving(finding.unpacked, finding.wire, "" if finding.exact else "≈ "), class_="worth"
            ),
        ),
        element(
            "div",
            element("p", finding.reason),
            element("p", element("b", "What to do: "), finding.remedy),
            element(
                "button", "Show in the treemap", type="button", class_="go show", data_category=finding.id
            ),
            _causes("Hidden by", [cause for cause in finding.causes if cause.role == HID]),
            _causes("Brought by", [cause for cause in finding.causes if cause.role == BROUGHT]),
            table(
                ("Largest paths", "#Layer", "#Unpacked", "#Wire"),
                [_item(item) for item in finding.items[:MAX_ITEMS]],
            ),
            element("p", f"and {more:,} more", class_="more") if more > 0 else None,
            class_="body",
        ),
        class_="finding",
    )


def _item(item: Item) -> list[str]:
    return [element("code", "/" + item.path), _layer_number(item.layer), size(item.unpacked), size(item.wire)]


def _causes(title: str, causes: Sequence[Cause]) -> Html | None:
    rows = [
        [
            fragment(
                element("b", cause.package) if cause.package else None,
                " " if cause.package and cause.instruction else None,
                element("code", cause.instruction[:MAX_LABEL]) if cause.instruction else None,
                element("small", cause.detail, class_="detail") if cause.detail else None,
            ),
            _layer_number(cause.layer) if cause.layer >= 0 else "",
            size(cause.unpacked),
        ]
        for cause in causes
    ]
    return table((title, "#Layer", "#Unpacked"), rows, most=MAX_ITEMS) if rows else None


def _layer(layer: LayerSummary) -> list[str]:
    instruction = layer.instruction[:MAX_LABEL] or "unknown instruction"
    dead = layer.unpacked - layer.classes[LIVE]
    return [
        _layer_number(layer.position),
        fragment(
            element(
                "button",
                element("code", instruction),
                type="button",
                class_="go link",
                data_layer=layer.position,
            ),
            element(
                "small",
                "foreign layer, not in the source" if layer.missing else layer.digest,
                class_="detail",
            ),
        ),
        fragment(_bar(layer.classes), element("small", f"{size(dead)} dead" if dead else "all live")),
        f"{layer.files:,}",
        size(layer.unpacked),
        size(layer.wire),
    ]


def _owner(owner: OwnerSummary, live: int) -> list[str]:
    package = owner.package
    name = package.label if package else UNOWNED
    return [
        element("button", name, type="button", class_="go link", data_owner=owner_label(package)),
        package.version if package else "",
        f"{owner.files:,}",
        share(owner.unpacked, live),
        size(owner.unpacked),
        size(owner.wire),
    ]


def _surface(analysis: Analysis) -> Html:
    surface = analysis.surface
    packages = ", ".join(
        f"{number:,} {ecosystem}" for ecosystem, number in surface.packages.items() if number
    )
    return section(
        "Surface",
        "What somebody who got in would find.",
        element(
            "dl",
            *term("Packages", packages or "none"),
            *term("Executables", f"{surface.executables:,}"),
            *term("Shells", _paths(surface.shells)),
            *term("Setuid, setgid", _paths(surface.setuid)),
            class_="terms",
        ),
    )


def _paths(paths: Sequence[str]) -> str:
    codes = [fragment(element("code", "/" + path), " ") for path in paths[:MAX_ROWS]]
    more = len(paths) - len(codes)
    return fragment(*codes, f"and {more:,} more" if more > 0 else None) if paths else "none"


def _dive(analysis: Analysis) -> Html:
    dive = analysis.dive
    return section(
        "dive score",
        "dive's numbers, computed its way, for those who know it. It counts the live copy of an overwritten file as waste, "
        "and nothing of a deleted directory.",
        element(
            "dl",
            *term("Efficiency", f"{100 * dive.efficiency:.2f} %"),
            *term("Wasted", size(dive.wasted)),
            *term("User bytes", size(dive.user_bytes)),
            class_="terms",
        ),
    )
