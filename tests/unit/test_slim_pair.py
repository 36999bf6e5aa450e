"""What is only in an original, whether something was made of it, and what labels say of that."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import jsonschema
import pytest

from conftest import ROOT
from deadweight.errors import UsageError
from deadweight.image import open_image
from deadweight.report.console import open_console
from deadweight.report.removed import print_removed, report
from deadweight.slimming.labels import LEVEL, ORIGINAL
from deadweight.slimming.pair import foreign_path
from deadweight.slimming.removed import folder_of, removed
from deadweight.slimming.selection import BOOKS, UNREACHED, UNUSED_PACKAGE, Removal
from deadweight.tree.merge import merge
from html_samples import directory, file, hard_link, layer_index, link
from layers_by_hand import file as member
from layers_by_hand import image_of
from services.images import write_layout
from slim_samples import layers, original, slimmed

SCHEMA = json.loads((ROOT / "docs" / "schema" / "removed-v1.json").read_text())


def goes(path: str) -> bool:
    return path.startswith(
        ("usr/share/doc/", "usr/share/tool/", "usr/lib/libtool", "usr/bin/tool", "usr/share/web/")
    )


def tree(*entries: object):  # type: ignore[no-untyped-def]
    return merge([layer_index(entries)]).tree  # type: ignore[arg-type]


def test_all_that_is_gone_is_listed_with_owner_and_class(tmp_path: Path) -> None:
    whole = original(tmp_path / "image")
    result = removed(whole, slimmed(whole, tmp_path / "slim", goes))
    assert result.removals[0] == Removal("usr/share/tool/table", 3000, UNUSED_PACKAGE, "deb:tool-data")
    kinds = {removal.path: removal.kind for removal in result.removals}
    assert kinds.pop("usr/share/doc/web/README") == "documentation"
    assert kinds.pop("usr/share/web/pages") == UNREACHED
    books = {path for path in kinds if path.startswith("var/lib/dpkg/info/")}
    assert {kinds.pop(path) for path in books} == {BOOKS}
    assert len(books) == 6
    assert set(kinds.values()) == {UNUSED_PACKAGE}
    assert result.rewritten == ("var/lib/dpkg/info/web.list", "var/lib/dpkg/status")
    assert result.level == "files"
    assert result.dead == 740
    assert {one.name: one.unpacked for one in result.by_owner()}["deb:web"] == 545
    assert result.unpacked == sum(one.unpacked for one in result.by_folder())
    assert result.unpacked == sum(one.unpacked for one in result.by_kind())


def test_the_report_holds_to_the_schema(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    whole = original(tmp_path / "image")
    result = removed(whole, slimmed(whole, tmp_path / "slim", goes))
    jsonschema.validate(report(result), SCHEMA)
    print_removed(result, open_console(sys.stdout), 2)
    text = capsys.readouterr().out
    assert "deb:tool-data" in text
    assert "/usr/share/tool/table" in text


def test_sums_are_by_the_first_two_directories() -> None:
    assert [folder_of(path) for path in ("a", "a/b", "a/b/c", "a/b/c/d")] == ["", "a", "a/b", "a/b"]


def test_several_names_of_a_content_count_once_and_not_while_one_is_left(tmp_path: Path) -> None:
    import tarfile

    from layers_by_hand import Member

    layer = [
        member("a/one", 100),
        Member("a/two", kind=tarfile.LNKTYPE, link="a/one"),
        member("b/one", 50),
        Member("b/two", kind=tarfile.LNKTYPE, link="b/one"),
    ]
    write_layout(tmp_path / "image", image_of([layer], [], {}))
    whole = f"oci:{tmp_path}/image:latest"
    result = removed(
        whole, slimmed(whole, tmp_path / "slim", lambda path: path in ("a/one", "b/one", "b/two"))
    )
    assert [(one.path, one.unpacked) for one in result.removals] == [
        ("b/one", 50),
        ("a/one", 0),
        ("b/two", 0),
    ]


def test_the_first_path_that_is_not_the_originals_is_found() -> None:
    whole = tree(directory("d"), file("d/f", 3), link("l", "d"), file("status", 5), hard_link("h", "d/f"))
    assert foreign_path(whole, tree(directory("d"), file("d/f", 3), link("l", "d")), ()) == ""
    assert foreign_path(whole, tree(file("h", 3, "d/f 3")), ()) == ""
    assert foreign_path(whole, tree(file("d/g", 3), file("z", 1)), ()) == "d/g"
    assert foreign_path(whole, tree(file("d/f", 4)), ()) == "d/f"
    assert foreign_path(whole, tree(link("l", "e")), ()) == "l"
    assert foreign_path(whole, tree(link("d", "e")), ()) == "d"
    assert foreign_path(whole, tree(directory("l")), ()) == "l"
    assert foreign_path(whole, tree(file("d/f", 3)._replace(mode=0o4755)), ()) == "d/f"
    assert foreign_path(whole, tree(file("status", 4)), ()) == "status"
    assert foreign_path(whole, tree(file("status", 4)), {"status"}) == ""
    assert foreign_path(whole, tree(link("status", "d")), {"status"}) == "status"


def test_labels_name_the_original_and_another_one_is_refused(tmp_path: Path) -> None:
    whole = original(tmp_path / "image")
    part = slimmed(whole, tmp_path / "slim", goes)
    with open_image(whole) as first, open_image(part) as second:
        labels = second.config.execution.labels
        assert labels == {ORIGINAL: str(first.config_document.descriptor.digest), LEVEL: "files"}
        assert second.config.execution.entrypoint == first.config.execution.entrypoint
    other = original(tmp_path / "other", User="web")  # the same files
    with pytest.raises(UsageError, match="says that it was made of the image sha256:"):
        removed(other, part)


def test_known_labels_stay_and_an_unchanged_image_keeps_its_digest(tmp_path: Path) -> None:
    whole = original(tmp_path / "image", Labels={"a": "b"})
    with open_image(slimmed(whole, tmp_path / "slim", goes)) as part:
        assert part.config.execution.labels["a"] == "b"
    write_layout(tmp_path / "clean", image_of([[member("f", 10)]], [], {"Labels": None}))
    clean = f"oci:{tmp_path}/clean:latest"
    with (
        open_image(clean) as first,
        open_image(slimmed(clean, tmp_path / "same", lambda path: False)) as second,
    ):
        assert first.digest == second.digest


def test_without_labels_the_files_decide(tmp_path: Path) -> None:
    whole = original(tmp_path / "image")
    write_layout(tmp_path / "part", image_of([layers()[0][:2]], [], {}))
    assert removed(whole, f"oci:{tmp_path}/part:latest").level == ""
    write_layout(tmp_path / "foreign", image_of([[member("usr/sbin/web", b"x")]], [], {}))
    with pytest.raises(UsageError, match="/usr/sbin/web is not there, or is something else"):
        removed(whole, f"oci:{tmp_path}/foreign:latest")


def test_the_original_comes_first(tmp_path: Path) -> None:
    whole = original(tmp_path / "image")
    small = slimmed(whole, tmp_path / "slim", goes)
    with pytest.raises(UsageError, match=f"^{small}: was made of {whole}; name that first$"):
        removed(small, whole)
