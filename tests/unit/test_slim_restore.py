"""What comes back into a slimmed image, and what comes along with it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import jsonschema
import pytest

from conftest import ROOT
from deadweight.errors import NotFound, UsageError
from deadweight.image import open_image
from deadweight.report.console import open_console
from deadweight.report.restored import print_restored, report
from deadweight.slimming.labels import LEVEL
from deadweight.slimming.pair import open_pair
from deadweight.slimming.restore import RestoreResult, restore
from filtered_images import opened
from layers_by_hand import file, image_of
from services.images import write_layout
from slim_samples import original, slimmed

SCHEMA = json.loads((ROOT / "docs" / "schema" / "restored-v1.json").read_text())


def goes(path: str) -> bool:
    kept = ("usr/sbin/web", "usr/lib/libweb", "usr", "usr/lib", "usr/sbin", "var", "etc")
    return path not in kept and not path.startswith(("usr/lib/libweb", "var/lib/dpkg"))


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    folder = tmp_path_factory.mktemp("restore")
    whole = original(folder / "image", Env=["A=b"])
    return whole, slimmed(whole, folder / "slim", goes)


def put_back(pair: tuple[str, str], folder: Path, *patterns: str, package: str = "") -> RestoreResult:
    return restore(*pair, f"oci:{folder}/back:x", patterns, [package] if package else [])


def came(result: RestoreResult) -> dict[str, str]:
    return {one.path: one.rule for one in result.restored if not one.path.startswith("var/lib/dpkg")}


def test_a_program_comes_with_the_libraries_that_it_cannot_start_without(
    pair: tuple[str, str], tmp_path: Path
) -> None:
    assert came(put_back(pair, tmp_path, "/usr/bin/tool")) == {
        "usr/bin/tool": "restored",
        "usr/lib/libtool.so": "elf-needed",
    }


def test_a_script_comes_with_its_interpreter(pair: tuple[str, str], tmp_path: Path) -> None:
    assert came(put_back(pair, tmp_path, "/srv/app/start")) == {
        "srv/app/start": "restored",
        "usr/bin/tool": "script-interpreter",
        "usr/lib/libtool.so": "elf-needed",
    }


def test_a_directory_comes_with_all_below_and_a_pattern_with_what_it_matches(
    pair: tuple[str, str], tmp_path: Path
) -> None:
    everything = {"srv/app/start", "srv/app/gone", "usr/bin/tool", "usr/lib/libtool.so"}
    assert set(came(put_back(pair, tmp_path, "/srv"))) == everything
    found = came(put_back(pair, tmp_path, "*/table", "/usr/share/*/pages"))
    assert set(found) == {"usr/share/tool/table", "usr/share/web/pages"}


def test_a_package_comes_whole_and_its_database_says_so(pair: tuple[str, str], tmp_path: Path) -> None:
    with opened(pair[1]) as before:
        assert {package.name for package in before.inventory.packages} == {"web", "libweb1"}
    result = put_back(pair, tmp_path, package="tool-data")
    assert came(result) == {"usr/share/tool/table": "restored"}
    with opened(f"oci:{tmp_path}/back:x") as after:
        assert {package.name for package in after.inventory.packages} == {"web", "libweb1", "tool-data"}
        assert "usr/share/tool/table" in after.inventory.owners


def test_everything_gives_the_tree_of_the_original_again(pair: tuple[str, str], tmp_path: Path) -> None:
    put_back(pair, tmp_path, "/")
    with opened(pair[0]) as first, opened(f"oci:{tmp_path}/back:x") as second:
        trees = [
            {path: node.entry._replace(start=0, link="") for path, node in one.merged.tree.walk()}
            for one in (first, second)
        ]
        assert trees[0] == trees[1]
        assert first.inventory.packages == second.inventory.packages


def test_the_config_is_that_of_the_slimmed_image(pair: tuple[str, str], tmp_path: Path) -> None:
    put_back(pair, tmp_path, "/srv")
    with open_image(pair[1]) as part, open_image(f"oci:{tmp_path}/back:x") as back:
        assert back.config.execution == part.config.execution
        assert back.config.execution.labels[LEVEL] == "files"
        assert back.config.instructions() == ["RUN install", "COPY app"]


def test_a_layer_that_comes_back_has_its_step_of_the_history(pair: tuple[str, str], tmp_path: Path) -> None:
    with open_image(pair[1]) as part:
        assert len(part.layers) == 1
    put_back(pair, tmp_path, "/srv/app/gone")
    with open_image(f"oci:{tmp_path}/back:x") as back:
        assert len(back.layers) == 2


def test_layers_that_both_share_stay_as_they_are(tmp_path: Path) -> None:
    layers = [[file("base/a", 30), file("base/b", 20)], [file("app/x", 10), file("app/y", 10)]]
    write_layout(tmp_path / "image", image_of(layers, [], {}))
    whole = f"oci:{tmp_path}/image:latest"
    part = slimmed(whole, tmp_path / "slim", lambda path: path == "app/y")
    restore(whole, part, f"oci:{tmp_path}/back:x", ["/app/y"])
    with open_image(whole) as first, open_image(f"oci:{tmp_path}/back:x") as back:
        assert [layer.descriptor.digest for layer in first.layers] == [
            layer.descriptor.digest for layer in back.layers
        ]


def test_what_was_restored_is_made_of_the_original_too(pair: tuple[str, str], tmp_path: Path) -> None:
    put_back(pair, tmp_path, "/usr/bin/tool")
    with open_pair(pair[0], f"oci:{tmp_path}/back:x") as again:
        assert "usr/bin/tool" not in {one.path for one in again.removals()}


def test_the_same_gives_the_same_bytes(pair: tuple[str, str], tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    one, other = (put_back(pair, tmp_path / name, "/usr/bin/tool") for name in ("a", "b"))
    assert one.digest == other.digest


def test_what_is_not_there_and_a_destination_that_is_one_of_the_two_are_errors(
    pair: tuple[str, str], tmp_path: Path
) -> None:
    with pytest.raises(NotFound, match="did you mean /usr/bin/tool"):
        put_back(pair, tmp_path, "/usr/bin/tol")
    with pytest.raises(NotFound, match="package 'nobody'"):
        put_back(pair, tmp_path, package="nobody")
    for reference in pair:
        with pytest.raises(UsageError):
            restore(*pair, reference, ["/srv"])
    assert not (tmp_path / "back").exists()


def test_the_report_holds_to_the_schema(
    pair: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    result = put_back(pair, tmp_path, "/usr/bin/tool")
    jsonschema.validate(report(result), SCHEMA)
    print_restored(result, open_console(sys.stdout), 1)
    assert "what came back (" in capsys.readouterr().out
