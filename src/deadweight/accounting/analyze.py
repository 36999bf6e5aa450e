"""The whole way from an opened image to its analysis."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from deadweight.accounting.actions import actions_for
from deadweight.accounting.dive import dive_score
from deadweight.accounting.finders import FINDERS, Finder
from deadweight.accounting.ledger import open_ledger
from deadweight.accounting.model import DEAD, Analysis, DiveScore, Finding, Remark
from deadweight.accounting.scripts import SCRIPTS
from deadweight.accounting.secrets import SECRETS, find_secrets
from deadweight.accounting.summaries import layer_summaries, owner_summaries
from deadweight.accounting.surface import surface_of
from deadweight.accounting.view import View, added_wire
from deadweight.image import Image
from deadweight.indexing import NO_CACHE, SILENT, Cache, Progress, index_image
from deadweight.inventory.reader import Facts
from deadweight.inventory.take import collectors, take_inventory
from deadweight.layer.collect import Collector
from deadweight.layer.index import LayerIndex
from deadweight.tree.merge import merge


def analysis_collectors() -> tuple[Collector, ...]:
    """Everything that an analysis needs to learn while layers stream by."""
    return (*collectors(), SCRIPTS, SECRETS)


def analyze(
    image: Image,
    *,
    estimate_wire: bool = False,
    exact: bool = False,
    finders: Sequence[Finder] = FINDERS,
    cache: Cache = NO_CACHE,
    progress: Progress = SILENT,
) -> Analysis:
    """The analysis of `image`: every byte of every layer once.

    Wire sizes are those of the source; where it holds a layer uncompressed they are None, or with `estimate_wire` what
    our own compression makes of it. What a finding saves on the wire is an estimate, or with `exact` measured by
    compressing without it. Raises `DeadweightError` for what is
    broken, hostile or cannot be read.
    """
    indexes = index_image(image, analysis_collectors(), cache=cache, progress=progress)
    wires = tuple(
        None if index.missing else layer.wire_size for layer, index in zip(image.layers, indexes, strict=True)
    )
    estimated = estimate_wire and None in wires
    if estimated:
        from deadweight.accounting.estimate import with_estimates

        indexes = with_estimates(image, indexes, progress)
        wires = tuple(None if index.missing else index.blob_size for index in indexes)
    analysis = replace(account(image, indexes, wires, finders), wire_estimated=estimated)
    if exact:
        from deadweight.accounting.exact import with_exact_savings

        return with_exact_savings(image, analysis, progress)
    return analysis


def account(
    image: Image, indexes: Sequence[LayerIndex], wires: tuple[int | None, ...], finders: Sequence[Finder]
) -> Analysis:
    """The analysis of `image`, whose layers were indexed with `analysis_collectors` and have the sizes `wires`."""
    dive = dive_score(indexes)  # first, because it needs most memory of its own
    return account_for(image, open_view(image, indexes, wires), wires, dive, finders)


def open_view(image: Image, indexes: Sequence[LayerIndex], wires: tuple[int | None, ...]) -> View:
    """`image`, whose layers were indexed with `analysis_collectors` and have the sizes `wires`, merged and owned."""
    merged = merge(indexes, complete=not any(index.missing for index in indexes))
    ledger = open_ledger(merged, indexes, [wire is not None for wire in wires])
    facts = Facts(merged.tree, indexes)
    return View(image.config, ledger, merged, take_inventory(merged.tree, facts), facts)


def account_for(
    image: Image, view: View, wires: tuple[int | None, ...], dive: DiveScore, finders: Sequence[Finder]
) -> Analysis:
    """The analysis of what `view` shows."""
    found = [one for finder in finders for one in finder.find(view)]
    findings = _ordered(one for one in found if isinstance(one, Finding))
    classes = view.ledger.classes()
    return Analysis(
        reference=image.reference,
        digest=image.digest,
        platform=image.platform,
        config=image.config,
        wire=added_wire(wires),
        wire_estimated=False,
        unpacked=sum(classes.values()),
        classes=classes,
        layers=layer_summaries(image, view, wires),
        owners=owner_summaries(view),
        findings=findings,
        remarks=tuple(one for one in found if isinstance(one, Remark)),
        actions=actions_for(findings),
        secrets=find_secrets(view.ledger, image.config),
        surface=surface_of(view),
        dive=dive,
        problems=_problems(image, view.ledger.layers, view.inventory.problems),
        ledger=view.ledger,
        merged=view.merged,
        inventory=view.inventory,
    )


def _ordered(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    return tuple(sorted(findings, key=lambda finding: (finding.kind != DEAD, -finding.unpacked, finding.id)))


def _problems(image: Image, indexes: Sequence[LayerIndex], databases: Sequence[str]) -> tuple[str, ...]:
    missing = [
        f"layer {layer.position + 1}, {layer.descriptor.digest}, is a foreign layer that the source does not hold"
        for layer, index in zip(image.layers, indexes, strict=True)
        if index.missing
    ]
    return (*missing, *databases)
