"""``deadweight diff``: what grew between two images, and why; or the table of several pairs."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from deadweight.cli.analysing import add_analysis, analysed, to_standard_output, write_reports
from deadweight.cli.command import Command, whole_number
from deadweight.errors import UsageError

if TYPE_CHECKING:
    from deadweight.accounting.model import Analysis


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("images", nargs="+", metavar="IMAGE", help="OLD NEW, or one or more OLD=NEW")
    parser.add_argument(
        "--top", type=whole_number(1), default=8, metavar="N", help="rows of each list (default: 8)"
    )
    parser.add_argument("--json", metavar="FILE", help="write JSON to FILE, or - for standard output")
    parser.add_argument(
        "--markdown", metavar="FILE", help="write tables for a pull request; - for standard output"
    )
    add_analysis(parser)


def _run(options: argparse.Namespace) -> int:
    from deadweight.compare.compare import compare, registry_size
    from deadweight.report import comparison as report
    from deadweight.report.console import open_console

    silent = to_standard_output(options.json, options.markdown)
    pairs = _pairs(options.images)
    analyses: dict[str, Analysis] = {}
    for name in dict.fromkeys(name for pair in pairs for name in pair):
        analyses[name] = analysed(name, options)
    components = [report.Component(new, compare(analyses[old], analyses[new])) for old, new in pairs]
    before = registry_size(analyses[old] for old, _ in pairs)
    after = registry_size(analyses[new] for _, new in pairs)

    def markdown() -> str:
        if len(components) == 1:
            return report.comparison_markdown(components[0].comparison, options.top)
        return report.components_markdown(components, before, after)

    write_reports(
        (
            (options.json, lambda: report.comparison_json(components, before, after)),
            (options.markdown, markdown),
        )
    )
    if not silent:
        console = open_console(sys.stdout)
        if len(components) == 1:
            report.print_comparison(components[0].comparison, console, options.top)
        else:
            report.print_components(components, before, after, console)
    return 0


def _pairs(images: list[str]) -> list[tuple[str, str]]:
    """The pairs named: ``OLD NEW``, or ``OLD=NEW`` each. Raises `UsageError`."""
    if len(images) == 2 and not any("=" in image for image in images):
        return [(images[0], images[1])]
    pairs = []
    for image in images:
        old, equals, new = image.partition("=")
        if not equals or not old or not new:
            raise UsageError(image, "is no pair", "write OLD NEW, or OLD=NEW for each pair")
        pairs.append((old, new))
    return pairs


COMMAND = Command(
    "diff",
    "what grew between two images, and why",
    "Compares two images, by package, directory, layer and file; several pairs OLD=NEW give one table.",
    "examples:\n"
    "  deadweight diff app:1.0 app:1.1\n"
    "  deadweight diff operator:1=operator:2 webhook:1=webhook:2",
    _add_arguments,
    _run,
)
