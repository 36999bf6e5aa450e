"""Why a path stays at a level, or what removes it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest

from conftest import ROOT
from deadweight.errors import NotFound, Unsupported
from deadweight.report.console import open_console
from deadweight.report.why import print_why, report
from deadweight.sandbox.contents import plain_contents
from deadweight.slimming.explanation import Dead, Explainer, Why
from deadweight.slimming.knowing import know
from deadweight.slimming.looking import Looked
from deadweight.slimming.recorded import Recorded
from deadweight.slimming.request import Request
from deadweight.slimming.selection import (
    BOOKS,
    DROPPED,
    FILES,
    LOSSLESS,
    PACKAGES,
    UNREACHED,
    UNUSED_PACKAGE,
)
from deadweight.slimming.subject import Subject
from deadweight.slimming.why import why
from deadweight.trace.observed import NOTHING
from slim_samples import original, subject_of

SCHEMA = json.loads((ROOT / "docs" / "schema" / "why-v1.json").read_text())


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> str:
    return original(tmp_path_factory.mktemp("why") / "image")


@pytest.fixture(scope="module")
def subject(image: str) -> Iterator[Subject]:
    with subject_of(image) as subject:
        yield subject


def explained(subject: Subject, level: str, path: str, base: int = 0, **options: tuple[str, ...]) -> Why:
    request = Request(**options)  # type: ignore[arg-type]
    with plain_contents(subject.image, subject.indexes, subject.view.merged.tree) as contents:
        looked = Looked(know(subject, contents, NOTHING, request), Recorded(), {})
    node = subject.view.merged.tree.find(path)
    explainer = Explainer(subject, looked, level, base)
    return explainer.hidden(path) if node is None else explainer.shown(node)


def test_the_chain_leads_from_a_library_to_what_the_config_starts(subject: Subject) -> None:
    found = explained(subject, FILES, "usr/lib/libweb.so.1.2")
    assert found.stays
    assert [(step.path, step.rule) for step in found.chain] == [
        ("usr/lib/libweb.so.1.2", "elf-needed"),
        ("usr/sbin/web", "config-command"),
    ]
    assert found.because == found.chain[0].because
    assert found.owner == "deb:libweb1"


def test_a_script_keeps_its_interpreter_and_that_its_library(subject: Subject) -> None:
    assert [step.path for step in explained(subject, FILES, "usr/lib/libtool.so").chain] == [
        "usr/lib/libtool.so",
        "usr/bin/tool",
        "srv/app/start",
    ]


def test_documentation_goes_from_level_packages_on(subject: Subject) -> None:
    for level in (PACKAGES, FILES):
        found = explained(subject, level, "usr/share/doc/web/README")
        assert (found.stays, found.level, found.kind) == (False, PACKAGES, "documentation")
    assert explained(subject, LOSSLESS, "usr/share/doc/web/README").stays


def test_what_is_dropped_goes_at_every_level(subject: Subject) -> None:
    found = explained(subject, FILES, "usr/share/web/pages", drop=("/srv/none", "/usr/share/web/*"))
    assert (found.level, found.kind, found.because) == (LOSSLESS, DROPPED, "--drop /usr/share/web/*")


def test_a_package_that_nothing_needs_is_named_with_who_asks_for_it(tmp_path: Path) -> None:
    with subject_of(original(tmp_path / "image")) as subject:
        request = Request(drop=("/srv/app/start",))
        assert explained(subject, FILES, "usr/share/tool/table").stays  # the script's interpreter asks for it
        with plain_contents(subject.image, subject.indexes, subject.view.merged.tree) as contents:
            known = know(subject, contents, NOTHING, request)
        reasons = {path: reason for path, reason in known.evidence.reasons.items() if "tool" not in path}
        known = type(known)(known.scene, type(known.evidence)(reasons), known.needless, known.drop)
        explainer = Explainer(subject, Looked(known, Recorded(), {}), FILES)
        tree = subject.view.merged.tree
        found = explainer.shown(tree.files["usr/share/tool/table"])
        assert (found.level, found.kind) == (PACKAGES, UNUSED_PACKAGE)
        assert found.because == (
            "nobody needs deb:tool-data: no evidence leads to any of its files, and who asks for it goes too (tool)"
        )
        alone = explainer.shown(tree.files["usr/bin/tool"])
        assert alone.because.endswith("and no package asks for it")
        books = explainer.shown(tree.files["var/lib/dpkg/info/tool.list"])
        assert (books.stays, books.kind) == (False, BOOKS)
        status = explainer.shown(tree.files["var/lib/dpkg/status"])
        assert status.stays
        assert "written anew" in status.because


def test_a_file_of_a_package_that_stays_goes_at_level_files_only(subject: Subject) -> None:
    with plain_contents(subject.image, subject.indexes, subject.view.merged.tree) as contents:
        known = know(subject, contents, NOTHING, Request())
    reasons = {
        path: reason for path, reason in known.evidence.reasons.items() if path != "usr/share/web/pages"
    }
    known = type(known)(known.scene, type(known.evidence)(reasons), known.needless, known.drop)
    node = subject.view.merged.tree.files["usr/share/web/pages"]
    looked = Looked(known, Recorded(), {})
    found = Explainer(subject, looked, FILES).shown(node)
    assert (found.level, found.kind) == (FILES, UNREACHED)
    assert found.because == "deb:web stays, but no evidence leads to this file"
    milder = Explainer(subject, looked, PACKAGES).shown(node)
    assert milder.stays
    assert milder.because == "its package deb:web stays whole at this level: /usr/sbin/web is needed"


def test_a_directory_says_what_of_it_stays_and_goes(subject: Subject) -> None:
    below = explained(subject, FILES, "usr/share").below
    assert below is not None
    assert [(one.path, one.kind) for one in below.removals] == [("usr/share/doc/web/README", "documentation")]
    assert (below.files, below.unpacked) == (2, 45 + 3000)
    gone = explained(subject, FILES, "usr/share/doc")
    assert (gone.stays, gone.level, gone.kind) == (False, PACKAGES, "")


def test_dead_contents_name_the_layers(subject: Subject) -> None:
    dead = explained(subject, FILES, "opt/old")
    assert (dead.visible, dead.stays, dead.level) == (False, False, LOSSLESS)
    assert dead.dead == (Dead("opt/old/data", 0, "deleted", 1, 700),)
    changed = explained(subject, FILES, "usr/share/web/pages")
    assert changed.stays
    assert changed.dead == (Dead("usr/share/web/pages", 0, "superseded", 1, 40),)


def test_a_base_layer_stays_as_it_is(subject: Subject) -> None:
    found = explained(subject, FILES, "usr/share/doc/web/README", base=1)
    assert found.stays
    assert found.because == "it lies in a base layer, which is kept as it is"


def test_links_are_followed_by_what_they_lead_to(image: str) -> None:
    answer = why(image, ["/usr/lib/libweb.so.1"], run=False)
    assert [one.path for one in answer.paths] == ["usr/lib/libweb.so.1", "usr/lib/libweb.so.1.2"]
    assert answer.paths[0].link == "libweb.so.1.2"
    assert (answer.level, answer.why_not_run) == (PACKAGES, "as asked for")


def test_a_path_that_is_nowhere_is_an_error_with_the_nearest_name(image: str) -> None:
    with pytest.raises(NotFound, match="did you mean /usr/sbin/web"):
        why(image, ["/usr/sbin/wbe"], run=False)
    with pytest.raises(NotFound, match="deadweight ls"):
        why(image, ["/nothing/like/it"], run=False)


def test_what_was_not_run_has_no_level_files(image: str) -> None:
    with pytest.raises(Unsupported, match="level files"):
        why(image, ["/usr"], Request(level=FILES), run=False)


def test_reports_hold_to_the_schema(image: str, capsys: pytest.CaptureFixture[str]) -> None:
    import sys

    paths = ["/usr", "/usr/lib/libweb.so.1", "/opt/old/data", "/usr/share/doc/web/README", "/"]
    answer = why(image, paths, run=False)
    jsonschema.validate(report(answer), SCHEMA)
    print_why(answer, open_console(sys.stdout), 3)
    text = capsys.readouterr().out
    assert "/usr/lib/libweb.so.1 -> libweb.so.1.2" in text
    assert "goes from level packages on: Documentation" in text
    assert "layer 1 has 700 B of /opt/old/data that no container sees: deleted by layer 2" in text
