"""Real databases against those who made them: dpkg and rpm."""

from __future__ import annotations

import sqlite3
import struct
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from conftest import require, require_program
from deadweight.inventory.dpkg import DpkgReader
from deadweight.inventory.model import Inventory
from deadweight.inventory.rpm.reader import RpmReader
from deadweight.layer.content import Whole
from language_samples import Files, inventory_of, layer_tar


def output(*command: str | Path, text: str | None = None) -> str:
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, input=text).stdout


# dpkg: this machine's own database

SAMPLE = (
    "base-files",
    "bash",
    "coreutils",
    "dash",
    "dpkg",
    "libc6",
    "libc-bin",
    "perl-base",
    "util-linux",
)


@pytest.fixture(scope="module")
def debian() -> Inventory:
    """The inventory of a tree with this machine's dpkg database and the names of some packages' files."""
    require_program("dpkg-query")
    require_program("apt-mark")
    database = Path("/var/lib/dpkg")
    files: dict[str, bytes | str] = {}
    for folder in ("bin", "sbin", "lib", "lib64"):
        if Path("/", folder).is_symlink():
            files[folder] = f"-> {Path('/', folder).readlink()}"
    kept = [
        database / "status",
        database / "diversions",
        Path("/var/lib/apt/extended_states"),
        Path("/etc/os-release"),
    ]
    for name in SAMPLE:
        lists = list(database.glob(f"info/{name}.list")) + list(database.glob(f"info/{name}:*.list"))
        kept += lists
        for listed in lists:
            files.update(_names(listed.read_text().splitlines()))
    files.update({str(path)[1:]: path.read_bytes() for path in kept if path.exists()})
    return inventory_of(DpkgReader(), layer_tar(files))


def _names(paths: Sequence[str]) -> Files:
    found: dict[str, bytes | str] = {}
    for path in map(Path, paths):
        if path.is_symlink():
            found[_real(path)] = f"-> {path.readlink()}"
        elif path.is_file():
            found[_real(path)] = b"x"
    return found


def _real(path: Path) -> str:
    return str(path.parent.resolve() / path.name)[1:]


def test_the_packages_are_those_that_dpkg_lists(debian: Inventory) -> None:
    form = "${Package}\t${Version}\t${Architecture}\t${source:Package}\t${Essential}\t${db:Status-Status}\n"
    listed = [line.split("\t") for line in output("dpkg-query", "-W", "-f", form).splitlines()]
    assert [
        [found.name, found.version, found.architecture, found.origin, "yes" if found.essential else "no"]
        for found in debian.packages
    ] == sorted(fields[:5] for fields in listed if fields[5] not in ("config-files", "not-installed"))
    assert debian.problems == ()


def test_what_was_asked_for_is_what_apt_says(debian: Inventory) -> None:
    manual = {name.partition(":")[0] for name in output("apt-mark", "showmanual").split()}
    assert {found.name for found in debian.packages if found.wanted} == manual


@pytest.mark.parametrize("name", SAMPLE)
def test_the_files_are_those_that_dpkg_lists(debian: Inventory, name: str) -> None:
    packages = [found for found in debian.packages if found.name == name]
    require(packages, f"the package {name}")
    listed = [line for line in output("dpkg-query", "-L", name).splitlines() if line.startswith("/")]
    folders = {line.rpartition("/")[0] for line in listed}
    assert packages[0].paths == tuple(
        sorted({_real(Path(line)) for line in listed if _is_file(line, folders)})
    )


def _is_file(line: str, folders: set[str]) -> bool:
    path = Path(line)
    return line not in folders if path.is_symlink() else path.is_file()


# rpm: packages built here

HELLO = """Name: hello
Version: 1.2
Release: 3
Epoch: 2
Summary: says hello
License: MIT AND BSD-3-Clause
BuildArch: noarch
Requires: world >= 1, /usr/share/world/map, (foo or bar >= 2)
Provides: greeting = 2
%description
%install
mkdir -p %{buildroot}/usr/bin %{buildroot}/usr/share/hello/empty
echo hi > %{buildroot}/usr/bin/hello
ln -s hello %{buildroot}/usr/bin/hi
%files
/usr/bin/hello
/usr/bin/hi
/usr/share/hello
%ghost /var/log/hello.log
"""
WORLD = """Name: world
Version: 1
Release: 1
Summary: many files
License: MIT
BuildArch: noarch
%description
%install
mkdir -p %{buildroot}/usr/share/world
for i in $(seq 500); do echo $i > %{buildroot}/usr/share/world/$i; done
echo > %{buildroot}/usr/share/world/map
%files
/usr/share/world
"""
RPM_FILES: Files = {
    "usr/bin/hello": b"hi\n",
    "usr/bin/hi": "-> hello",
    "usr/share/world/map": b"\n",
    **{f"usr/share/world/{number}": b"x" for number in range(1, 501)},
}


@pytest.fixture(scope="module")
def rpmdb(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a database with two packages, made by rpm."""
    require_program("rpmbuild")
    folder = tmp_path_factory.mktemp("rpm")
    database = folder / "db"
    for name, text in (("hello", HELLO), ("world", WORLD)):
        (folder / f"{name}.spec").write_text(text)
        output("rpmbuild", "-bb", "--quiet", "--define", f"_topdir {folder}", folder / f"{name}.spec")
    packages = sorted(folder.glob("RPMS/noarch/*.rpm"))
    output("rpm", "--dbpath", database, "--justdb", "--nodeps", "--force-debian", "-i", *packages)
    return database


def _queried(*options: str) -> tuple[set[str], set[str], set[str]]:
    """What rpm itself says of a database: packages with files, requirements, provisions."""
    package = "%{=NAME}\t%{=EVR}\t%{=ARCH}\t%{=LICENSE}"
    forms = (
        f"[{package}\t%{{FILENAMES}}\t%{{FILEMODES:perms}}\n]",
        "[%{=NAME}\t%{REQUIRENAME}\n]",
        "[%{=NAME}\t%{PROVIDENAME}\n]",
    )
    files, requires, provides = (
        set(output("rpm", *options, "-qa", "--qf", form).splitlines()) for form in forms
    )
    return (
        {line.rpartition("\t")[0] for line in files if not line.rpartition("\t")[2].startswith("d")},
        requires,
        provides,
    )


def _collected(database: bytes) -> tuple[set[str], set[str], set[str]]:
    fact = RpmReader.collector.collect("var/lib/rpm/Packages", Whole(database))
    assert isinstance(fact, dict)
    assert "problem" not in fact
    packages = fact["packages"]
    assert isinstance(packages, list)
    files: set[str] = set()
    requires: set[str] = set()
    provides: set[str] = set()
    for record in packages:
        assert isinstance(record, dict)
        start = "\t".join(str(record[field]) for field in ("name", "version", "architecture", "license"))
        files |= {f"{start}\t{path}" for path in str(record["files"]).split("\n")}
        for field, found in (("requires", requires), ("provides", provides)):
            names = record[field]
            assert isinstance(names, list)
            found |= {f"{record['name']}\t{name}" for name in names}
    return files, requires, provides


def test_rpms_sqlite_database(rpmdb: Path) -> None:
    content = (rpmdb / "rpmdb.sqlite").read_bytes()
    assert _collected(content) == _queried("--dbpath", str(rpmdb))


def test_rpms_berkeley_database(rpmdb: Path, tmp_path: Path) -> None:
    """Berkeley DB writes the database with the headers of the other one; rpm reads it, though it no longer writes it."""
    require_program("db_load")
    with sqlite3.connect(rpmdb / "rpmdb.sqlite") as connection:
        rows = connection.execute("SELECT hnum, blob FROM Packages").fetchall()
    connection.close()
    pairs = [(struct.pack("=I", 0), struct.pack("=I", len(rows) + 1))]
    pairs += [(struct.pack("=I", number), blob) for number, blob in rows]
    dump = ["VERSION=3", "format=bytevalue", "type=hash", "HEADER=END"]
    dump += [f" {item.hex()}" for pair in pairs for item in pair] + ["DATA=END", ""]
    output("db_load", tmp_path / "Packages", text="\n".join(dump))
    found = _collected((tmp_path / "Packages").read_bytes())
    assert found == _collected((rpmdb / "rpmdb.sqlite").read_bytes())
    assert found == _queried("--define", "_db_backend bdb_ro", "--dbpath", str(tmp_path))


def test_packages_of_an_rpm_image(rpmdb: Path) -> None:
    files: Files = {
        "var/lib/rpm": "-> ../../usr/lib/sysimage/rpm",
        **{f"usr/lib/sysimage/rpm/{path.name}": path.read_bytes() for path in rpmdb.iterdir()},
        **RPM_FILES,
    }
    inventory = inventory_of(RpmReader(), layer_tar(files))
    assert inventory.problems == ()
    hello, world = inventory.packages
    assert (hello.version, hello.origin, hello.license) == ("2:1.2-3", "hello", "MIT AND BSD-3-Clause")
    assert hello.paths == ("usr/bin/hello", "usr/bin/hi")
    assert {("world",), ("/usr/share/world/map",), ("foo", "bar")} <= set(hello.requires)
    assert world.provides == ("world", "/usr/share/world/map")
    assert set(world.paths) == {path for path in RPM_FILES if path.startswith("usr/share")}
