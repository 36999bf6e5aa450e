"""``deadweight analyze``: where an image's bytes are, which are dead, who put them there, what each would save."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from deadweight.cli.analysing import add_analysis, analysed, to_standard_output, write_reports
from deadweight.cli.command import Command, whole_number

if TYPE_CHECKING:
    from deadweight.accounting.model import Analysis


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("image", metavar="IMAGE")
    parser.add_argument(
        "--top", type=whole_number(1), default=6, metavar="N", help="rows of each list (default: 6)"
    )
    parser.add_argument(
        "--layer", type=whole_number(1), metavar="N", help="only what layer N brought (1 is the base)"
    )
    parser.add_argument("--path", metavar="PATH", help="only PATH and what is below it")
    parser.add_argument("--owner", metavar="PACKAGE", help="only what PACKAGE owns; 'none' for the unowned")
    parser.add_argument(
        "--exact",
        action="store_true",
        help="measure what findings save on the wire by compressing without them",
    )
    parser.add_argument("--json", metavar="FILE", help="write JSON to FILE, or - for standard output")
    parser.add_argument("--html", metavar="FILE", help="write the report as one HTML file")
    parser.add_argument(
        "--markdown", metavar="FILE", help="write tables for a pull request; - for standard output"
    )
    add_analysis(parser)


def _run(options: argparse.Namespace) -> int:
    silent = to_standard_output(options.json, options.html, options.markdown)
    whole = analysed(options.image, options, exact=options.exact)
    analysis = _narrowed(whole, options)
    write_reports(
        (
            (options.json, lambda: _json(analysis)),
            (options.html, lambda: _html(whole)),  # narrowing is what its reader does
            (options.markdown, lambda: _markdown(analysis, options.top)),
        )
    )
    if not silent:
        from deadweight.report.console import open_console, print_analysis

        print_analysis(analysis, open_console(sys.stdout), options.top)
    return 0


def _json(analysis: Analysis) -> str:
    from deadweight.report.json_report import render_json

    return render_json(analysis)


def _html(analysis: Analysis) -> str:
    from deadweight.report.html import render_html

    return render_html(analysis)


def _markdown(analysis: Analysis, top: int) -> str:
    from deadweight.report.markdown import render_markdown

    return render_markdown(analysis, top)


def _narrowed(analysis: Analysis, options: argparse.Namespace) -> Analysis:
    from deadweight.accounting.narrow import below, in_layer, narrow, owned_by

    selections = []
    if options.layer is not None:
        selections.append(in_layer(analysis, options.layer - 1))
    if options.path is not None:
        selections.append(below(analysis, options.path))
    if options.owner is not None:
        selections.append(owned_by(analysis, options.owner))
    return narrow(analysis, selections) if selections else analysis


COMMAND = Command(
    "analyze",
    "where the bytes are, and which are dead",
    "Shows where the bytes of IMAGE are, which of them are dead weight, who put them there and what each would save.",
    "examples:\n"
    "  deadweight analyze docker-archive:app.tar\n"
    "  deadweight analyze app:latest --html report.html\n"
    "  deadweight analyze oci:app --path /usr/lib --top 20",
    _add_arguments,
    _run,
)
