"""An analysis as one self-contained HTML page."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from importlib.resources import files
from string import Template

from deadweight._version import __version__
from deadweight.accounting.model import Analysis
from deadweight.report.markup import element
from deadweight.report.sections import figures, heading, sections
from deadweight.report.treemap import pack, treemap

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


def render_html(analysis: Analysis) -> str:
    """The report of `analysis`: a page that loads nothing, with a treemap of every content. Same analysis, same bytes.

    It runs its own script only, which the content security policy names by its digest: nothing in the image's names
    and instructions can become code, even if it became markup.
    """
    assets = files("deadweight.report").joinpath("assets")
    script = "".join(assets.joinpath(f"{name}.js").read_text("utf-8") for name in SCRIPTS)
    cells = treemap(analysis)
    return Template(assets.joinpath("report.html").read_text("utf-8")).substitute(
        title=element("title", f"{analysis.reference} – deadweight"),
        script_digest=b64encode(sha256(script.encode()).digest()).decode("ascii"),
        style=assets.joinpath("report.css").read_text("utf-8"),
        heading=heading(analysis),
        figures=figures(analysis, cells),
        sections=sections(analysis),
        version=__version__,
        pack=b64encode(pack(cells)).decode("ascii"),
        script=script,
    )
