"""Python distributions as pip, setuptools and Debian leave them."""

from __future__ import annotations

import pytest

from deadweight.inventory import python
from deadweight.inventory.python import (
    COLLECTOR,
    PythonReader,
    normalised,
    parse_metadata,
    parse_record,
    parse_requires_txt,
    requirement,
)
from deadweight.layer.collect import ends
from deadweight.layer.content import Kept, Space
from language_samples import found_in, inventory_of, layer_tar, problems_in

SITE = "usr/lib/python3.11/site-packages"
READER = PythonReader()


def metadata(name: str, *lines: str) -> str:
    return "\n".join(
        ["Metadata-Version: 2.1", f"Name: {name}", "Version: 1.0", *lines, "", "A description.", ""]
    )


@pytest.mark.parametrize(
    ("name", "expected"),
    [("Friendly.Bard", "friendly-bard"), ("FRIENDLY-._.-bard", "friendly-bard"), ("six", "six")],
)
def test_names_are_normalised(name: str, expected: str) -> None:
    assert normalised(name) == expected


@pytest.mark.parametrize(
    ("specifier", "expected"),
    [
        ("idna", "idna"),
        ("charset_normalizer<4,>=2", "charset-normalizer"),
        ("requests [security,tests] >= 2.8.1 ; python_version < '2.7'", "requests"),
        ("pip @ https://github.com/pypa/pip/archive/1.3.1.zip", "pip"),
        ("PySocks!=1.5.7; extra == 'socks'", ""),
        ("PySocks; python_version > '3' and (extra=='socks')", ""),
        ("extra-widgets; os_name == 'posix'", "extra-widgets"),
        ("", ""),
        ("-e .", ""),
        ("x" * 1000, ""),
    ],
)
def test_requirements_of_extras_are_left_out(specifier: str, expected: str) -> None:
    assert requirement(specifier) == expected


def test_metadata() -> None:
    described = parse_metadata(
        metadata(
            "Some_Project", "License: ", "License-Expression: MIT", "Requires-Dist: A.b>1", "Requires-Dist: c"
        )
        + "Requires-Dist: not-a-header\n"
    )
    assert described == {"name": "some-project", "version": "1.0", "license": "MIT", "requires": ["a-b", "c"]}


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["License: BSD"], "BSD"),
        (["License: MIT", "License-Expression: Apache-2.0"], "Apache-2.0"),
        (["License: Copyright (c) us", "        all rights", "        given"], "Copyright (c) us"),
        (["License: UNKNOWN", "Classifier: License :: OSI Approved :: MIT License"], "MIT License"),
        (["Classifier: Topic :: Software"], ""),
        (["License: " + "x" * 1000], ""),
        (["License: \x1b[31mred"], ""),
    ],
)
def test_licence(lines: list[str], expected: str) -> None:
    assert parse_metadata(metadata("a", *lines))["license"] == expected


def test_metadata_with_windows_line_ends() -> None:
    described = parse_metadata(metadata("a", "Requires-Dist: b").replace("\n", "\r\n"))
    assert (described["name"], described["requires"]) == ("a", ["b"])


@pytest.mark.parametrize(
    "content", ["", "Name:", "Name: ../../x", "Name: a b", "Name: " + "a" * 300, "\n\nName: a"]
)
def test_metadata_without_a_name_is_a_problem(content: str) -> None:
    assert parse_metadata(content) == {"problem": "has no valid Name"}


def test_requirements_of_an_egg() -> None:
    content = "a>=1\nb\n\n[:python_version < '3']\nc\n\n[test]\nd\n\n[test:os_name == 'nt']\ne\n"
    assert parse_requires_txt(content) == {"egg_requires": ["a", "b", "c"]}


def test_absurdly_many_requirements_are_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(python, "MAX_REQUIREMENTS", 2)
    required = ["Requires-Dist: b"] * 3
    assert parse_metadata(metadata("a", *required[:2]))["requires"] == ["b", "b"]
    assert parse_metadata(metadata("a", *required)) == {"problem": "has more than 2 requirements"}
    assert parse_requires_txt("b\nc\n") == {"egg_requires": ["b", "c"]}
    assert parse_requires_txt("b\nc\nd\n") == {"problem": "has more than 2 lines"}


def test_record_is_csv() -> None:
    content = 'a.py,sha256=x,1\n"odd, name.py",,\n"quo""ted",,\r\n\n"two\nlines",,\nlast'
    assert parse_record(content) == {"record": 'a.py\nodd, name.py\nquo"ted\nlast'}


def test_record_that_is_no_csv_is_a_problem() -> None:
    assert "field larger than" in str(parse_record('"' + "x" * 200_000)["problem"])


def test_record_with_absurdly_many_files_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(python, "MAX_FILES", 3)
    assert parse_record("a\nb\nc\n") == {"record": "a\nb\nc"}
    assert parse_record("a\nb\nc\nd\n") == {"problem": "records more than 3 files"}


def test_large_files_are_a_problem_but_metadata_needs_only_its_start() -> None:
    content = Kept(COLLECTOR.limit + 1, ends(COLLECTOR.limit + 1, COLLECTOR.limit), Space())
    content.append(memoryview(metadata("big").encode().ljust(COLLECTOR.limit + 1)))
    home = f"{SITE}/big-1.0.dist-info"
    assert COLLECTOR.collect(f"{home}/RECORD", content) == {"problem": "is larger than 4194304 bytes"}
    fact = COLLECTOR.collect(f"{home}/METADATA", content)
    assert isinstance(fact, dict)
    assert fact["name"] == "big"


def test_a_wheel_owns_what_its_record_names() -> None:
    record = "pkg/__init__.py,,\npkg/data.txt,,\npkg/gone.py,,\n../../../bin/tool,,\n/opt/absolute,,\npkg,,\n"
    package = found_in(
        READER,
        {
            f"{SITE}/pkg-1.0.dist-info/METADATA": metadata("Pkg", "License: MIT", "Requires-Dist: Other_One"),
            f"{SITE}/pkg-1.0.dist-info/RECORD": record,
            f"{SITE}/pkg-1.0.dist-info/INSTALLER": "pip\n",
            f"{SITE}/pkg/__init__.py": "1",
            f"{SITE}/pkg/data.txt": "2",
            f"{SITE}/pkg/unrecorded.txt": "3",
            "usr/bin/tool": "4",
            "opt/absolute": "5",
        },
    )["pkg"]
    assert (package.ecosystem, package.version, package.license) == ("python", "1.0", "MIT")
    assert package.source == f"{SITE}/pkg-1.0.dist-info/METADATA"
    assert package.requires == (("other-one",),)
    assert package.paths == (
        "opt/absolute",
        "usr/bin/tool",
        f"{SITE}/pkg-1.0.dist-info/INSTALLER",
        f"{SITE}/pkg-1.0.dist-info/METADATA",
        f"{SITE}/pkg-1.0.dist-info/RECORD",
        f"{SITE}/pkg/__init__.py",
        f"{SITE}/pkg/data.txt",
    )


def test_what_was_compiled_from_recorded_modules_is_owned() -> None:
    names = ["a.cpython-311.pyc", "a.cpython-311.opt-1.pyc", "stripped.pypy310.pyc", "b.cpython-311.pyc"]
    files = {f"{SITE}/pkg/__pycache__/{name}": "x" for name in names}
    files |= {
        f"{SITE}/p-1.dist-info/METADATA": metadata("p"),
        f"{SITE}/p-1.dist-info/RECORD": "pkg/a.py,,\npkg/stripped.py,,\npkg/old.py,,\n",
        f"{SITE}/pkg/a.py": "x",
        f"{SITE}/pkg/old.pyc": "x",
    }
    owned = found_in(READER, files)["p"].paths
    below = {path.removeprefix(f"{SITE}/pkg/") for path in owned if path.startswith(f"{SITE}/pkg/")}
    assert below == {"a.py", "old.pyc", *(f"__pycache__/{name}" for name in names[:3])}


def test_links_in_parents_are_resolved() -> None:
    paths = found_in(
        READER,
        {
            "usr/lib64": "-> lib",
            "usr/lib64/python3/site-packages/a-1.dist-info/METADATA": metadata("a"),
            "usr/lib/python3/site-packages/a-1.dist-info/RECORD": "../../../lib64/x.so,,\n../../loop/y,,\na.py,,\n",
            "usr/lib/x.so": "x",
            "usr/lib/loop": "-> loop",
        },
    )["a"].paths
    assert "usr/lib/x.so" in paths


def test_a_record_never_leads_out_of_the_image() -> None:
    record = "../" * 30 + "etc/motd,,\n" + "../" * 30 + ",,\n\0,,\n" + "x" * 5000 + ",,\n"
    paths = found_in(
        READER,
        {"s/a-1.dist-info/METADATA": metadata("a"), "s/a-1.dist-info/RECORD": record, "etc/motd": "hi"},
    )["a"].paths
    assert paths == ("etc/motd", "s/a-1.dist-info/METADATA", "s/a-1.dist-info/RECORD")


def test_scripts_of_pip_target_are_in_the_target() -> None:
    files = {
        "app/a-1.dist-info/METADATA": metadata("a"),
        "app/a-1.dist-info/RECORD": "../../bin/tool,,\n",
        "app/bin/tool": "x",
    }
    assert "app/bin/tool" in found_in(READER, files)["a"].paths


def test_an_egg_with_installed_files() -> None:
    files = {
        f"{SITE}/old-1.egg-info/PKG-INFO": metadata("old", "Requires-Dist: b"),
        f"{SITE}/old-1.egg-info/requires.txt": "a\nb\n",
        f"{SITE}/old-1.egg-info/installed-files.txt": "../old.py\r\nPKG-INFO\r\n../../../../bin/old\r\n",
        f"{SITE}/old-1.egg-info/top_level.txt": "other\n",
        f"{SITE}/old.py": "x",
        f"{SITE}/other.py": "x",
        "usr/bin/old": "x",
    }
    package = found_in(READER, files)["old"]
    assert package.requires == (("b",), ("a",))
    assert set(package.paths) == set(files) - {f"{SITE}/other.py"}


def test_without_record_the_top_level_is_owned() -> None:
    files = {
        f"{SITE}/deb-1.egg-info/PKG-INFO": metadata("deb"),
        f"{SITE}/deb-1.egg-info/top_level.txt": "pkg\nmodule\n_native\nspace\n../bad\n\n",
        f"{SITE}/deb-1.egg-info/SOURCES.txt": "setup.py\nspace/mine/__init__.py\nmodule2.py\n",
        f"{SITE}/pkg/__init__.py": "x",
        f"{SITE}/pkg/deep/er/data": "x",
        f"{SITE}/module.py": "x",
        f"{SITE}/__pycache__/module.cpython-311.pyc": "x",
        f"{SITE}/_native.cpython-311-x86_64-linux-gnu.so": "x",
        f"{SITE}/space/mine/__init__.py": "x",
        f"{SITE}/space/mine/__pycache__/__init__.cpython-311.pyc": "x",
    }
    others = {
        f"{SITE}/setup.py": "x",
        f"{SITE}/space/theirs/__init__.py": "x",
        f"{SITE}/module2.py": "x",
        f"{SITE}/module.txt": "x",
    }
    assert set(found_in(READER, files | others)["deb"].paths) == set(files)


def test_the_first_of_two_that_claim_a_package_gets_it() -> None:
    files = {"s/pkg/__init__.py": "x"}
    for name in ("b", "a"):
        files |= {f"s/{name}.egg-info/PKG-INFO": metadata(name), f"s/{name}.egg-info/top_level.txt": "pkg"}
    packages = found_in(READER, files)
    assert "s/pkg/__init__.py" in packages["a"].paths
    assert "s/pkg/__init__.py" not in packages["b"].paths


def test_metadata_alone() -> None:
    files = {"s/a-1.dist-info/METADATA": metadata("a"), "s/b-1.egg-info": metadata("b"), "s/a.py": "x"}
    packages = found_in(READER, files)
    assert packages["a"].paths == ("s/a-1.dist-info/METADATA",)
    assert packages["b"].paths == ("s/b-1.egg-info",)


def test_files_of_the_same_names_elsewhere_are_nothing() -> None:
    assert (
        found_in(READER, {"app/METADATA": metadata("a"), "app/RECORD": "x,,", "PKG-INFO": metadata("b")})
        == {}
    )


def test_only_what_is_live_counts() -> None:
    old = {
        f"s/a-{version}.dist-info/METADATA": metadata("a").replace("1.0", version) for version in ("1", "2")
    }
    upgrade = {"s/.wh.a-1.dist-info": "", "s/a-3.dist-info/METADATA": metadata("a").replace("1.0", "3")}
    inventory = inventory_of(READER, layer_tar(old), layer_tar(upgrade))
    assert [package.version for package in inventory.packages] == ["2", "3"]


def test_broken_files_are_told() -> None:
    assert problems_in(READER, {"s/a.dist-info/METADATA": b"\xff\0", "s/b.dist-info/RECORD": "x"}) == (
        "s/a.dist-info/METADATA: has no valid Name",
    )


def test_links_to_one_directory_do_not_multiply_it() -> None:
    files: dict[str, bytes | str] = {f"s/real/m{number}.py": "x" for number in range(3)}
    files |= {"s/real/__init__.py": "x", "s/one": "-> real", "s/two": "-> real"}
    for name in ("a", "b"):
        files |= {
            f"s/{name}.egg-info/PKG-INFO": metadata(name),
            f"s/{name}.egg-info/top_level.txt": "two\none\nreal",
        }
    packages = found_in(READER, files)
    assert {path for path in packages["a"].paths if path.startswith("s/real/")} == {
        path for path in files if path.startswith("s/real/")
    }
    assert not [path for path in packages["b"].paths if path.startswith("s/real/")]


def test_a_record_with_absurdly_many_hard_links_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(python, "MAX_ALL_FILES", 5)
    files: dict[str, bytes | str] = {"s/p0.dist-info/RECORD": "a,,\nb,,"}
    for number in range(4):
        files[f"s/p{number}.dist-info/METADATA"] = metadata(f"p{number}")
        files.setdefault(f"s/p{number}.dist-info/RECORD", "=> s/p0.dist-info/RECORD")
    inventory = inventory_of(READER, layer_tar(files))
    assert inventory.problems == ("s/p3.dist-info: with it, more than 5 files are recorded",)
    assert [package.name for package in inventory.packages] == ["p0", "p1", "p2"]
