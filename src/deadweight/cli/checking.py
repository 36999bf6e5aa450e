"""What ``deadweight check`` does once its arguments are read."""

from __future__ import annotations

import argparse
import os
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from deadweight.budget.baseline import Baseline, baseline_from_report, baseline_of
from deadweight.budget.check import check
from deadweight.budget.quantity import parse_bytes, parse_growth
from deadweight.budget.settings import Budget, Settings, find_settings, read_settings
from deadweight.cli.analysing import analysed, release, to_standard_output, write_text
from deadweight.errors import UsageError
from deadweight.oci.strict_json import MAX_DOCUMENT
from deadweight.report.verdicts import Checked, github_annotations, print_verdicts, verdicts_json

SIZES = ("wire", "unpacked", "dead", "largest-file")


def run(options: argparse.Namespace) -> int:
    """Checks the images; 0 where every limit is kept, else 1."""
    silent = to_standard_output(options.json)
    settings = _settings(options)
    checked: list[Checked] = []
    baselines: dict[str, Baseline] = {}
    for reference in options.images:
        if checked:
            release(options)
        checked.append(_checked(reference, settings, options, baselines))
    with suppress(BrokenPipeError):  # whoever reads no further still gets the exit code
        if options.json:
            write_text(options.json, verdicts_json(checked))
        if not silent:
            _tell(checked, settings)
    return 0 if all(one.passed for one in checked) else 1


def _checked(
    reference: str, settings: Settings | None, options: argparse.Namespace, baselines: dict[str, Baseline]
) -> Checked:
    budget = _budget(settings, reference, options)
    analysis = analysed(reference, options)
    return Checked(reference, check(analysis, budget, _baseline(budget, options, baselines)))


def _tell(checked: list[Checked], settings: Settings | None) -> None:
    print_verdicts(checked, sys.stdout)
    if os.environ.get("GITHUB_ACTIONS") == "true":
        sys.stdout.write(github_annotations(checked, settings.origin if settings else ""))


def _settings(options: argparse.Namespace) -> Settings | None:
    if options.config is not None:
        return read_settings(options.config)
    if _limits(options) != Budget():
        return None
    return read_settings(find_settings(Path.cwd()))


def _budget(settings: Settings | None, reference: str, options: argparse.Namespace) -> Budget:
    budget = settings.budget_for(reference) if settings else Budget()
    given = _limits(options)
    changes = {name: value for name in Budget.__slots__ if (value := getattr(given, name)) not in (None, "")}
    if "growth_bytes" in changes or "growth_percent" in changes:
        changes = {"growth_bytes": None, "growth_percent": None, **changes}
    budget = replace(budget, **changes)
    if budget.is_empty:
        raise UsageError(reference, "has no limit to be held against", "name one, such as --wire 60MB")
    if (budget.growth_bytes is not None or budget.growth_percent is not None) and not budget.baseline:
        raise UsageError(reference, "has a limit for growth, but no baseline", "name one with --baseline")
    return budget


def _limits(options: argparse.Namespace) -> Budget:
    sizes = {
        name.replace("-", "_"): parse_bytes(value, f"--{name}")
        for name in SIZES
        if (value := getattr(options, name.replace("-", "_"))) is not None
    }
    growth = parse_growth(options.growth, "--growth") if options.growth is not None else (None, None)
    return Budget(
        **sizes,
        layers=options.layers,
        secrets=options.secrets,
        growth_bytes=growth[0],
        growth_percent=growth[1],
        baseline=options.baseline or "",
    )


def _baseline(budget: Budget, options: argparse.Namespace, known: dict[str, Baseline]) -> Baseline | None:
    name = budget.baseline
    if not name or (budget.growth_bytes is None and budget.growth_percent is None):
        return None
    if name not in known:
        path = Path(name)
        if path.suffix == ".json" and not path.is_dir():
            with path.open("rb") as stream:
                known[name] = baseline_from_report(stream.read(MAX_DOCUMENT + 1), name)
        else:
            known[name] = baseline_of(analysed(name, options))
    return known[name]
