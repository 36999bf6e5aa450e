"""Self-contained HTML pages with a treemap, and an analysis as one."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from importlib.resources import files
from string import Template

from deadweight._version import __version__
from deadweight.accounting.model import Analysis
from deadweight.report.markup import Html, element
from deadweight.report.sections import figures, heading, sections
from deadweight.report.treemap import Treemap, pack, treemap

SCRIPTS = (
    "data",
    "hierarchy",
    "layout",
    "describe",
    "paint",
    "search",
    "panel",
    "tip",
    "theme",
    "controls",
    "page",
)
"""The parts of the page's script, in their order."""


_HELP = (
    "Each cell is a file of a layer, its area the bytes that it takes. Hatched warm colours are dead: no container sees them. "
    "Other colours are suspects. The table calls both flagged."
)


def render_html(analysis: Analysis) -> str:
    """The report of `analysis`, with a treemap of every content. Same analysis, same bytes."""
    cells = treemap(analysis)
    return page(
        analysis.reference, heading(analysis), figures(analysis, cells), sections(analysis), cells, _HELP
    )


def page(title: str, heading: Html, figures: Html, sections: Html, cells: Treemap, help_text: str) -> str:
    """A page that loads nothing: `figures`, the treemap of `cells`, and `sections` below it.

    It runs its own script only, which the content security policy names by its digest: nothing in the image's names
    and instructions can become code, even if it became markup.
    """
    assets = files("deadweight.report").joinpath("assets")
    script = "".join(assets.joinpath(f"{name}.js").read_text("utf-8") for name in SCRIPTS)
    return Template(assets.joinpath("report.html").read_text("utf-8")).substitute(
        title=element("title", f"{title} – deadweight"),
        script_digest=b64encode(sha256(script.encode()).digest()).decode("ascii"),
        style=assets.joinpath("report.css").read_text("utf-8"),
        heading=heading,
        figures=figures,
        help=element("p", help_text),
        sections=sections,
        version=__version__,
        pack=b64encode(pack(cells)).decode("ascii"),
        script=script,
    )
