"""The console, JSON and Markdown: right figures, safe characters, a schema that holds."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest
from rich.console import Console

from conftest import ROOT
from deadweight import analyze, open_image
from deadweight.accounting.model import Analysis, Remark
from deadweight.report.console import listing, open_console, print_analysis
from deadweight.report.json_report import render_json
from deadweight.report.markdown import code, plain, render_markdown
from deadweight.report.units import change, printable, share, size
from image_samples import debian_layer, dpkg_package, write_layout
from layer_stacks import Item

SCHEMA = json.loads((ROOT / "docs" / "schema" / "analysis-v1.json").read_text())
NASTY = "evil\x1b[31m\x07|<img src=x>`"


@pytest.fixture
def analysis(tmp_path: Path) -> Analysis:
    token = b"//registry.npmjs.org/:_authToken=npm_" + b"a1B2" * 9 + b"\n"
    layers = [
        debian_layer(
            dpkg_package("tool", "1.0", {"usr/bin/tool": b"t" * 700, "usr/share/doc/tool/README": b"r" * 90})
        ),
        [Item("root/.npmrc", "f", token), Item(NASTY, "f", b"12345"), Item("usr/bin/tool", "f", b"t" * 700)],
        [Item("root/.wh..npmrc", "f"), Item("copy", "f", b"12345")],
    ]
    history = ["ADD base", f"RUN {NASTY}", "RUN rm"]
    reference = write_layout(
        tmp_path / "image", layers, history=history, config={"Entrypoint": ["/usr/bin/tool"]}
    )
    with open_image(reference) as image:
        return analyze(image)


def console_text(analysis: Analysis, top: int = 10) -> str:
    stream = io.StringIO()
    print_analysis(analysis, open_console(stream), top)
    return stream.getvalue()


def test_json_follows_its_schema(analysis: Analysis) -> None:
    document = json.loads(render_json(analysis))
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.validate(document, SCHEMA)
    assert document["classes"]["restated"] == 700
    assert sum(document["classes"].values()) == document["size"]["unpacked"]
    assert sum(layer["wire"] for layer in document["layers"]) == document["size"]["wire"]
    assert sum(owner["unpacked"] for owner in document["owners"]) == document["classes"]["live"]


def test_the_schema_is_strict() -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"schema_version": 1}, SCHEMA)


def test_every_item_has_a_line_whatever_its_path_looks_like(tmp_path: Path) -> None:
    paths = ['a}, {"path": ', 'b"}, {"path": "x', "c}, {", 'd\\"}, {\\"path\\": ']
    files = [Item(f"tmp/{path}", "f", b"x" * (9 - number)) for number, path in enumerate(paths)]
    write_layout(tmp_path / "image", [files])
    with open_image(f"oci:{tmp_path / 'image'}") as image:
        text = render_json(analyze(image))
    (finding,) = (one for one in json.loads(text)["findings"] if one["id"] == "temporary")
    assert [item["path"] for item in finding["items"]] == [file.path for file in files]
    for item in finding["items"]:
        assert f"{json.dumps(item)}" in {line.strip().rstrip(",") for line in text.splitlines()}


def test_the_same_image_gives_the_same_bytes(analysis: Analysis) -> None:
    assert render_json(analysis) == render_json(analysis)
    assert console_text(analysis) == console_text(analysis)


def test_a_deleted_secret_is_told_and_its_value_nowhere(analysis: Analysis) -> None:
    assert {(secret.layer, secret.path, secret.live) for secret in analysis.secrets} == {
        (1, "root/.npmrc", False)
    }
    for text in (render_json(analysis), render_markdown(analysis, 10), console_text(analysis)):
        assert "root/.npmrc" in text
        assert "a1B2a1B2" not in text


def test_control_characters_of_an_image_reach_no_terminal(analysis: Analysis) -> None:
    for text in (render_json(analysis), render_markdown(analysis, 10), console_text(analysis)):
        assert "\x1b" not in text
        assert "\x07" not in text
    assert "\\x1b[31m" in console_text(analysis)


def test_the_console_says_what_matters(analysis: Analysis) -> None:
    text = console_text(analysis)
    for part in (
        "Stated again by a later layer",
        "deb:tool",
        "ADD base",
        "npm",
        "deleted, but still shipped",
    ):
        assert part in text
    assert not any(line.endswith(" ") for line in text.splitlines())


@pytest.mark.parametrize("width", [40, 60, 80, 100, 200])
def test_no_width_cuts_a_number(width: int) -> None:
    table = listing("", "unpacked", "wire", "files", "largest")
    table.add_row("Leftovers of package managers", "31.8 MB", "~10.4 MB", "1,215", "usr/share/doc/a 1.2 kB")
    console = Console(file=io.StringIO(), width=width)
    console.print(table)
    assert isinstance(console.file, io.StringIO)
    head, row = console.file.getvalue().splitlines()
    assert head.split()[:3] == ["unpacked", "wire", "files"]
    assert " 31.8 MB  ~10.4 MB  1,215 " in row
    assert row.startswith("Leftov")


def with_remark(analysis: Analysis) -> Analysis:
    text = f"Unused packages: no claim; the config starts {NASTY}, which is not found in the image"
    return replace(analysis, remarks=(Remark("unused-packages", text),))


def test_a_remark_is_told_in_safe_characters(analysis: Analysis) -> None:
    assert not analysis.remarks
    remarked = with_remark(analysis)
    document = json.loads(render_json(remarked))
    jsonschema.validate(document, SCHEMA)
    (remark,) = document["remarks"]
    assert remark["finding"] == "unused-packages"
    assert remark["text"].startswith("Unused packages: no claim; the config starts evil\\x1b[31m")
    markdown = render_markdown(remarked, 10)
    assert "\n\nUnused packages: no claim; the config starts evil" in markdown
    assert "\\<img src=x\\>" in markdown
    for text in (render_json(remarked), markdown, console_text(remarked)):
        assert "\x1b" not in text
        assert "\x07" not in text


def test_a_remark_stands_below_the_findings_and_wraps(analysis: Analysis) -> None:
    stream = io.StringIO()
    print_analysis(with_remark(analysis), Console(file=stream, width=80), 10)
    lines = [line.rstrip() for line in stream.getvalue().splitlines()]
    first = next(
        number for number, line in enumerate(lines) if line.startswith("  Unused packages: no claim")
    )
    assert lines.index("Dead and suspect weight") < first < lines.index("Who owns it")
    assert " ".join(line.strip() for line in lines[first : first + 2]).endswith("not found in the image")
    assert max(map(len, lines)) <= 80


def test_a_remark_needs_no_finding(analysis: Analysis) -> None:
    remarked = replace(with_remark(analysis), findings=())
    assert "Dead and suspect weight\n  Unused packages: no claim;" in console_text(remarked)
    assert "Dead and suspect weight" not in console_text(replace(analysis, findings=()))


def test_top_bounds_every_list(analysis: Analysis) -> None:
    assert len(console_text(analysis, 1).splitlines()) < len(console_text(analysis, 10).splitlines())


def test_markdown_escapes_what_images_say() -> None:
    assert code("a`b|c") == "``a`b\\|c``"
    assert plain("<b>*x*|") == "\\<b\\>\\*x\\*\\|"


@pytest.mark.parametrize(
    ("count", "text"),
    [(None, "–"), (0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (999_499, "999 kB"), (999_600, "1.0 MB"),
     (1_500_000, "1.5 MB"), (123_456_789, "123 MB"), (2_000_000_000, "2.0 GB"), (-1500, "-1.5 kB")],
)  # fmt: skip
def test_sizes(count: int | None, text: str) -> None:
    assert size(count) == text


def test_shares_and_changes() -> None:
    assert share(1, 200) == "0.5 %"
    assert share(50, 200) == "25 %"
    assert share(None, 5) == share(5, 0) == "–"
    assert change(1500) == "+1.5 kB"
    assert change(-1500) == "-1.5 kB"


def test_bytes_that_are_no_text_are_shown_as_escapes() -> None:
    assert printable("caf\udce9\u202e") == "caf\\xe9\\u202e"
