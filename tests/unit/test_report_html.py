"""The HTML report as text: what is in it, what cannot get into it, and its packed treemap read back."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import zlib
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest

import html_samples as samples
from deadweight.accounting.model import SUSPECT, Analysis, Finding, Item, Remark, Secret
from deadweight.inventory.model import Package
from deadweight.report.html import render_html
from deadweight.report.markup import Html, element, fragment
from deadweight.report.treemap import CONTENT, ENTRIES, NAME, pack, treemap

HOSTILE = (
    "</script><img src=x onerror=alert(1)>",
    "<!--<script>",
    "\"'><svg onload=alert(2)>",
    "$title ${pack} $$",
    "caf\udce9/\udcff\udcfe",
    "line\nbreak\ttab\x1b[31m\x00",
    "right\u202eto left\u2066",
    "a//b/../c",
    "\u00e4\u6f22\U0001f40b",
)


class Page(HTMLParser):
    """What a browser's parser would find: elements, attributes, text outside of script and style."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.text = ""
        self._raw = False
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        self._raw = tag in ("script", "style")

    def handle_endtag(self, tag: str) -> None:
        self._raw = False

    def handle_data(self, data: str) -> None:
        if not self._raw:
            self.text += data


def unpack(packed: bytes) -> dict[str, Any]:
    """The pack, read as its documentation says, with nothing of the writer's code."""
    raw = zlib.decompress(packed, -15)
    at = 4 + int.from_bytes(raw[:4], "little")
    found: dict[str, Any] = json.loads(raw[4:at])
    for name, length, planes in found["columns"]:
        parts = [raw[at + plane * length : at + (plane + 1) * length] for plane in range(planes)]
        found[name] = [sum(part[i] << 8 * plane for plane, part in enumerate(parts)) for i in range(length)]
        at += planes * length
    for name, length in found["texts"]:
        found[name] = raw[at : at + length].decode().split("\n")[:-1]
        at += length
    assert at == len(raw)
    return found


def paths(found: dict[str, Any]) -> list[str]:
    directories = [""]
    for number in range(1, len(found["parent"])):
        directories.append(f"{directories[found['parent'][number]]}{found['directoryName'][number]}/")
    pairs = zip(found["directory"], found["name"], strict=True)
    return [directories[directory] + name for directory, name in pairs]


def cells(analysis: Analysis) -> list[tuple[str, int, int, int, str, str]]:
    """Path, layer, kind, unpacked bytes, category and owner of each cell."""
    found = unpack(pack(treemap(analysis)))
    names = [category["id"] for category in found["categories"]]
    rows = zip(
        paths(found),
        found["layer"],
        found["kind"],
        found["unpacked"],
        (names[number] for number in found["category"]),
        (found["owners"][number] for number in found["owner"]),
        strict=True,
    )
    return sorted(rows)


def test_cells_are_the_ledger() -> None:
    assert cells(samples.small()) == sorted(
        [
            ("", 0, ENTRIES, 0, "entries", "no owner"),
            ("", 1, ENTRIES, 0, "entries", "no owner"),
            ("", 2, ENTRIES, 0, "entries", "no owner"),
            ("empty", 0, CONTENT, 0, "live", "no owner"),
            ("opt/old/data.bin", 0, CONTENT, 800_000, "deleted", "no owner"),
            ("opt/old/more.bin", 0, CONTENT, 400_000, "deleted", "no owner"),
            ("srv/app/logo.png", 2, CONTENT, 160_000, "live", "no owner"),
            ("srv/app/main.py", 2, CONTENT, 40_000, "live", "no owner"),
            ("usr/bin/perl", 0, CONTENT, 3_000_000, "live", "deb:perl 5.36.0-7"),
            ("usr/bin/tool", 0, CONTENT, 1_200_000, "unused-packages", "no owner"),
            ("usr/bin/tool-again", 0, NAME, 0, "live", "no owner"),
            ("usr/lib/libx.so", 0, CONTENT, 900_000, "restated", "deb:libx1 2.0-1"),
            ("usr/lib/libx.so", 1, CONTENT, 900_000, "debug", "deb:libx1 2.0-1"),
            ("usr/lib/liby.so", 1, CONTENT, 500_000, "live", "no owner"),
            ("usr/lib/libz.so", 0, CONTENT, 400_000, "debug", "deb:libx1 2.0-1"),
            ("usr/share/doc/perl/README", 0, CONTENT, 600_000, "documentation", "deb:perl 5.36.0-7"),
            ("usr/share/doc/perl/copyright", 0, CONTENT, 300_000, "documentation", "deb:perl 5.36.0-7"),
            ("var/log/install.log", 0, CONTENT, 250_000, "superseded", "no owner"),
            ("var/log/install.log", 1, CONTENT, 90_000, "logs", "no owner"),
        ]
    )


def test_classes_and_layers_add_up() -> None:
    analysis = samples.large(3000)
    found = unpack(pack(treemap(analysis)))
    kinds = [category["kind"] for category in found["categories"]]
    rows = list(zip(found["layer"], found["category"], found["unpacked"], found["wire"], strict=True))
    dead = sum(unpacked for _, category, unpacked, _ in rows if kinds[category] == "dead")
    assert dead == analysis.unpacked - analysis.classes["live"] > 0
    for layer in analysis.layers:
        assert sum(row[2] for row in rows if row[0] == layer.position) == layer.unpacked
        assert sum(row[3] for row in rows if row[0] == layer.position) == layer.wire


def test_a_finding_over_a_part_and_one_over_all() -> None:
    found = unpack(pack(treemap(samples.small())))
    names = [category["id"] for category in found["categories"]]
    number = paths(found).index("usr/share/doc/perl/README")
    marks = found["sets"][found["set"][number]]
    assert [names[mark] for mark in marks] == ["unused-packages", "documentation"]
    parts = {
        (paths(found)[cell], names[category]): size
        for cell, category, size in zip(*(found["parts"][i::3] for i in range(3)), strict=True)
    }
    assert parts == {("usr/lib/libx.so", "debug"): 225_000, ("usr/lib/libz.so", "debug"): 100_000}


def test_the_widest_finding_gives_the_colour_and_suspects_count_once() -> None:
    analysis = samples.small()
    assert treemap(analysis).suspect == 1_200_000 + 600_000 + 300_000 + 225_000 + 100_000 + 90_000
    whole = Item("usr/lib/libz.so", 0, 400_000, None)
    finding = Finding("duplicates", SUSPECT, "Duplicates", "", "", 400_000, None, (whole,))
    more = replace(analysis, findings=(*analysis.findings, finding))
    assert ("usr/lib/libz.so", 0, CONTENT, 400_000, "duplicates", "deb:libx1 2.0-1") in cells(more)
    assert treemap(more).suspect == treemap(analysis).suspect + 300_000


def test_a_finding_that_would_save_nothing_of_a_file_does_not_colour_it() -> None:
    analysis = samples.small()
    nothing = Item("usr/bin/tool", 0, 0, None)
    finding = Finding("logs", SUSPECT, "Logs", "", "", 0, None, (nothing,))
    assert ("usr/bin/tool", 0, CONTENT, 1_200_000, "live", "no owner") in cells(
        replace(analysis, findings=(finding,))
    )


def test_every_finding_looks_different() -> None:
    analysis = samples.small()
    findings = [Finding(f"f{n}", SUSPECT, f"F {n}", "", "", 0, None, ()) for n in range(20)]
    categories = treemap(replace(analysis, findings=tuple(findings))).categories
    coloured = [category for category in categories if category.hue]
    assert len({(category.hue, category.pattern) for category in coloured}) == len(coloured) == 23
    dead = {category.pattern for category in categories if category.kind == "dead"}
    assert not dead & {category.pattern for category in categories if category.kind == SUSPECT}


def test_unknown_wire_sizes_are_told_from_zero() -> None:
    analysis = samples.small(wire_known=False)
    found = unpack(pack(treemap(analysis)))
    assert [layer["wire"] for layer in found["layers"]] == [False] * 3
    assert ENTRIES not in found["kind"]
    assert "the source holds it uncompressed" in Page(render_html(analysis)).text


def test_a_part_of_an_analysis_keeps_its_layers_apart() -> None:
    analysis = samples.small()
    found = unpack(pack(treemap(replace(analysis, layers=analysis.layers[2:]))))
    assert [layer["label"] for layer in found["layers"]] == ["", "", "COPY . /srv/app"]


def test_a_path_of_many_directories_costs_no_more_than_its_length() -> None:
    deep = "/".join("d" * 2_000)
    analysis = samples.analysis_of([[samples.file(f"{deep}/x", 5), samples.file(f"{deep}/y", 6)]])
    found = unpack(pack(treemap(analysis)))
    assert len(found["directoryName"]) == 2_001
    assert found["directory"][:2] == [2_000, 2_000]


def test_an_image_without_files() -> None:
    page = Page(render_html(samples.analysis_of([])))
    assert "0 files in 0 layers" in page.text


def test_same_analysis_same_bytes() -> None:
    assert render_html(samples.small()) == render_html(samples.small())


def test_an_image_of_54_000_files_takes_at_most_1_5_megabytes() -> None:
    analysis = samples.large()
    assert sum(layer.files for layer in analysis.layers) >= 54_000
    known = list(analysis.inventory.owners)
    assert sum(map(len, known)) / len(known) > 50
    assert len(render_html(analysis).encode()) <= 1_500_000


def test_the_page_shows_the_numbers() -> None:
    text = re.sub(r"\s+", " ", Page(render_html(samples.small())).text)
    for expected in (
        "registry.example.org/shop/api:1.4",
        "linux/amd64",
        "Debian GNU/Linux 12 (bookworm)",
        "9.5 MB",
        "Live 7.2 MB",
        "Superseded 250 kB",
        "Restated 900 kB",
        "Deleted 1.2 MB",
        "COPY . /srv/app",
        "/usr/share/doc/perl/README",
        "OpenSSH private key",
        "hidden by a later layer, still in the image",
        "Delete where it was made",
        "perl",
        "5.36.0-7",
        "93.12 %",
        "/usr/bin/passwd",
    ):
        assert expected in text


def test_a_remark_stands_with_the_suspects_even_where_there_are_none() -> None:
    remark = Remark("unused-packages", "Unused packages: no claim; the config starts bash")
    written = render_html(replace(samples.small(), remarks=(remark,)))
    assert written.index("Suspects") < written.index(remark.text) < written.index("Documentation</span>")
    assert remark.text not in render_html(samples.small())
    alone = Page(render_html(samples.analysis_of([[samples.file("a", 1)]], remarks=(remark,)))).text
    assert f"They may overlap.{remark.text}Layers" in alone


def test_secrets_of_the_config_have_no_layer() -> None:
    secret = Secret(-1, "config: AWS_SECRET_ACCESS_KEY", "AWS secret key", live=True)
    text = Page(render_html(replace(samples.small(), secrets=(secret,)))).text
    assert "config: AWS_SECRET_ACCESS_KEY" in text
    assert "/config:" not in text


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_text(text: str) -> None:
    hostile = samples.analysis_of(
        [[samples.file(f"srv/{text}", 100)], [samples.file(f"srv/{text}", 200)]],
        (f"RUN {text}", f"COPY {text}"),
        reference=text,
        secrets=(Secret(0, f"srv/{text}", text, live=True),),
        remarks=(Remark("unused-packages", text),),
    )
    plain = samples.analysis_of(
        [[samples.file("srv/a", 100)], [samples.file("srv/a", 200)]],
        ("RUN a", "COPY a"),
        secrets=(Secret(0, "srv/a", "b", live=True),),
        remarks=(Remark("unused-packages", "a"),),
    )
    written = render_html(hostile)
    found = Page(written)
    assert written.encode().decode() == written
    assert found.elements == Page(render_html(plain)).elements
    assert not [name for _, name, _ in found.attributes if name.startswith("on")]
    shown = text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    if shown.isprintable():
        assert f"RUN {shown}" in found.text
    assert all(character.isprintable() or character == "\n" for character in found.text)


def test_nothing_is_loaded_and_only_its_own_script_runs() -> None:
    written = render_html(samples.small())
    found = Page(written)
    for tag, name, value in found.attributes:
        if name in ("src", "href", "srcset", "action", "data", "poster"):
            assert value.startswith("data:"), (tag, name, value)
    assert "@import" not in written
    assert "url(" not in written
    policy = next(value for _, _, value in found.attributes if value.startswith("default-src"))
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    script = written[written.rindex("<script>") + len("<script>") : written.rindex("</script>")]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == f"'sha256-{digest}'"
    assert "//" not in rules["img-src"] + rules["style-src"]


def test_markup_escapes_what_is_not_markup() -> None:
    assert element("p", "<b>", Html("<i>"), None, title='"&') == '<p title="&quot;&amp;">&lt;b&gt;<i></p>'
    assert element("p", data_x=3, class_=None) == '<p data-x="3"></p>'
    assert fragment("a\x07", element("b")) == "a\\x07<b></b>"


def test_of_several_names_the_first_has_the_bytes_and_the_first_owner_has_it() -> None:
    layer = [
        samples.file("z/tool", 500),
        samples.hard_link("b/tool", "z/tool"),
        samples.hard_link("a/tool", "z/tool"),
    ]
    packages = [Package("deb", name, "1", "var/lib/dpkg/status", (f"{name}/tool",)) for name in ("b", "z")]
    assert cells(samples.analysis_of([layer], (), packages))[1:] == [
        ("a/tool", 0, CONTENT, 500, "live", "deb:b 1"),
        ("b/tool", 0, NAME, 0, "live", "deb:b 1"),
        ("z/tool", 0, NAME, 0, "live", "deb:z 1"),
    ]
