from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Callable, Collection, Mapping

from deadweight.inventory.reader import Facts
from deadweight.inventory.readers import READERS
from deadweight.inventory.take import take_inventory
from deadweight.passes.databases.apk import ApkRewriter
from deadweight.passes.databases.dpkg import DpkgRewriter
from deadweight.passes.databases.model import DatabaseRewriter, Remaining
from deadweight.passes.databases.node import NodeRewriter
from deadweight.passes.databases.python import PythonRewriter
from deadweight.passes.staying import staying
from deadweight.tree.merge import merge
from language_samples import Files, index, layer_tar

DPKG = "var/lib/dpkg"
SITE = "usr/lib/python3/site-packages"


def changes(rewriter: DatabaseRewriter, files: Files, gone: Collection[str]) -> Mapping[str, str | None]:
    """What the rewriter changes, as text, when the paths in `gone` go."""
    indexes = [index(layer_tar(files), READERS)]
    merged = merge(indexes)
    inventory = take_inventory(merged.tree, Facts(merged.tree, indexes))
    read = {node.path: content(files[node.path]) for node in rewriter.files(merged.tree, inventory)}
    left = staying(merged, lambda node: node.path not in gone and node.children is None, None, 0)
    result = rewriter.rewrite(Remaining(merged.tree, left), inventory, read.__getitem__)
    return {
        path: None if new is None else new.decode()
        for path, new in result.items()
        if new is None or new != read[path]
    }


def content(text: bytes | str) -> bytes:
    return text.encode() if isinstance(text, str) else text


# dpkg


def stanza(name: str, architecture: str = "amd64") -> str:
    return f"Package: {name}\nStatus: install ok installed\nArchitecture: {architecture}\nVersion: 1\n\n"


def debian() -> dict[str, bytes | str]:
    return {
        f"{DPKG}/status": stanza("one") + stanza("two") + stanza("empty"),
        f"{DPKG}/info/format": "1\n",
        f"{DPKG}/info/one.list": "/.\n/usr\n/usr/bin\n/usr/bin/one\n/usr/bin/uno\n/usr/share/doc/one/copyright\n/usr/lost\n",
        f"{DPKG}/info/one.md5sums": f"{'1' * 32}  usr/bin/one\n{'2' * 32}  usr/bin/uno\n",
        f"{DPKG}/info/one.postinst": "#!/bin/sh\n",
        f"{DPKG}/info/two.list": "/.\n/etc/two\n/usr/share/doc/two/copyright\n",
        f"{DPKG}/info/two.conffiles": "/etc/two\n",
        f"{DPKG}/info/empty.list": "/.\n",
        "usr/bin/one": "1",
        "usr/bin/uno": "1",
        "etc/two": "2",
        "usr/share/doc/one/copyright": "c",
        "usr/share/doc/two/copyright": "c",
    }


def test_lists_name_what_is_left() -> None:
    gone = {"usr/bin/uno", "usr/share/doc/one/copyright"}
    assert changes(DpkgRewriter(), debian(), gone) == {
        f"{DPKG}/info/one.list": "/.\n/usr\n/usr/bin\n/usr/bin/one\n",
        f"{DPKG}/info/one.md5sums": f"{'1' * 32}  usr/bin/one\n",
    }


def test_a_package_of_which_only_documentation_is_left_is_gone() -> None:
    found = changes(DpkgRewriter(), debian(), {"usr/bin/one", "usr/bin/uno"})
    assert found == {
        f"{DPKG}/status": stanza("two") + stanza("empty"),
        f"{DPKG}/info/one.list": None,
        f"{DPKG}/info/one.md5sums": None,
        f"{DPKG}/info/one.postinst": None,
    }


def test_configuration_files_that_are_gone_are_not_named_by_the_status() -> None:
    rest = "Description: one\n\n"
    one = (
        stanza("one").removesuffix("\n")
        + f"Conffiles:\n /etc/a {'1' * 32}\n /etc/b {'2' * 32} obsolete\n"
        + rest
    )
    files: Files = {
        f"{DPKG}/status": one,
        f"{DPKG}/info/one.list": "/etc/a\n/etc/b\n/usr/bin/one\n",
        "etc/a": "1",
        "etc/b": "1",
        "usr/bin/one": "1",
    }
    assert changes(DpkgRewriter(), files, {"etc/a"}) == {
        f"{DPKG}/status": one.replace(f" /etc/a {'1' * 32}\n", ""),
        f"{DPKG}/info/one.list": "/etc/b\n/usr/bin/one\n",
    }
    found = changes(DpkgRewriter(), files, {"etc/a", "etc/b"})
    assert found[f"{DPKG}/status"] == stanza("one").removesuffix("\n") + rest


def test_what_lost_nothing_stays_whatever_it_has() -> None:
    """Also a package without files, and one that never had more than documentation."""
    files = debian() | {f"{DPKG}/info/two.list": "/.\n/usr/share/doc/two/copyright\n"}
    assert changes(DpkgRewriter(), files, {"etc/two"}) == {
        f"{DPKG}/info/one.list": debian()[f"{DPKG}/info/one.list"].replace("/usr/lost\n", ""),  # type: ignore[arg-type]
        f"{DPKG}/info/two.conffiles": None,
    }


def test_one_that_never_had_more_than_documentation_stays_with_any_of_it() -> None:
    doc = "/usr/share/doc/two"
    files = debian() | {f"{DPKG}/info/two.list": f"/.\n{doc}/copyright\n{doc}/NEWS\n", f"{doc[1:]}/NEWS": "n"}
    found = changes(DpkgRewriter(), files, {f"{doc[1:]}/NEWS"})
    assert found[f"{DPKG}/info/two.list"] == f"/.\n{doc}/copyright\n"
    assert f"{DPKG}/status" not in found
    found = changes(DpkgRewriter(), files, {f"{doc[1:]}/NEWS", f"{doc[1:]}/copyright"})
    assert found[f"{DPKG}/info/two.list"] is None


def test_what_names_packages_beside_the_status_follows() -> None:
    files = debian() | {
        f"{DPKG}/status-old": stanza("two") + stanza("one"),
        f"{DPKG}/available": stanza("one"),
        "var/lib/apt/extended_states": "Package: one\nArchitecture: amd64\nAuto-Installed: 1\n\n",
        f"{DPKG}/triggers/File": "/usr/share/one one/noawait\n/usr/share/two two:amd64\n",
        f"{DPKG}/triggers/ldconfig": "one\n \ntwo\n",
        f"{DPKG}/triggers/Unincorp": "/usr/share/one one\n",
        f"{DPKG}/diversions": "/bin/a\n/bin/a.distrib\none\n",
        f"{DPKG}/statoverride": "root root 755 /usr/bin/one\n",
    }
    found = changes(DpkgRewriter(), files, {"usr/bin/one", "usr/bin/uno"})
    assert {path: new for path, new in found.items() if "/info/" not in path} == {
        f"{DPKG}/status": stanza("two") + stanza("empty"),
        f"{DPKG}/status-old": stanza("two"),
        f"{DPKG}/available": "",
        "var/lib/apt/extended_states": "",
        f"{DPKG}/triggers/File": "/usr/share/two two:amd64\n",
        f"{DPKG}/triggers/ldconfig": " \ntwo\n",
    }


def test_one_architecture_of_a_package_may_go() -> None:
    files: Files = {
        f"{DPKG}/status": stanza("lib") + stanza("lib", "i386"),
        f"{DPKG}/info/lib:amd64.list": "/usr/lib/64\n",
        f"{DPKG}/info/lib:i386.list": "/usr/lib/32\n",
        "usr/lib/64": "1",
        "usr/lib/32": "1",
    }
    assert changes(DpkgRewriter(), files, {"usr/lib/32"}) == {
        f"{DPKG}/status": stanza("lib"),
        f"{DPKG}/info/lib:i386.list": None,
    }


def test_a_diverted_file_is_looked_for_where_it_is() -> None:
    files: Files = {
        f"{DPKG}/status": stanza("dash") + stanza("other"),
        f"{DPKG}/diversions": "/bin/sh\n/bin/sh.distrib\nother\n",
        f"{DPKG}/info/dash.list": "/bin/sh\n/bin/dash\n",
        f"{DPKG}/info/other.list": "/bin/sh\n/bin/other\n",
        "bin/sh": "other's",
        "bin/sh.distrib": "dash's",
        "bin/dash": "1",
        "bin/other": "1",
    }
    assert changes(DpkgRewriter(), files, {"bin/sh.distrib"}) == {f"{DPKG}/info/dash.list": "/bin/dash\n"}
    assert changes(DpkgRewriter(), files, {"bin/sh"}) == {f"{DPKG}/info/other.list": "/bin/other\n"}


def test_lists_name_the_real_path_where_the_link_in_the_old_one_goes() -> None:
    files: Files = {
        "bin": "-> usr/bin",
        "usr/bin/sh": "1",
        f"{DPKG}/status": stanza("dash"),
        f"{DPKG}/info/dash.list": "/.\n/bin\n/bin/sh\n",
        f"{DPKG}/info/dash.md5sums": f"{'1' * 32}  bin/sh\n",
    }
    assert changes(DpkgRewriter(), files, ()) == {}
    assert changes(DpkgRewriter(), files, {"bin"}) == {
        f"{DPKG}/info/dash.list": "/.\n/usr/bin/sh\n",
        f"{DPKG}/info/dash.md5sums": f"{'1' * 32}  usr/bin/sh\n",
    }


def test_distroless_has_a_file_for_each_package() -> None:
    control = "Package: {}\nVersion: 1\nArchitecture: amd64\n"
    files: Files = {
        f"{DPKG}/status.d/base": control.format("base"),
        f"{DPKG}/status.d/base.md5sums": f"{'1' * 32}  ./etc/a\n{'1' * 32}  ./etc/b\n",
        f"{DPKG}/status.d/libc6": control.format("libc6"),
        f"{DPKG}/status.d/libc6.md5sums": f"{'1' * 32}  lib/libc.so.6\n",
        "etc/a": "1",
        "etc/b": "1",
        "lib/libc.so.6": "1",
    }
    assert changes(DpkgRewriter(), files, {"etc/b", "lib/libc.so.6"}) == {
        f"{DPKG}/status.d/base.md5sums": f"{'1' * 32}  ./etc/a\n",
        f"{DPKG}/status.d/libc6": None,
        f"{DPKG}/status.d/libc6.md5sums": None,
    }


# apk

APK = "lib/apk/db"
MUSL = "C:Q1musl=\nP:musl\nV:1-r0\nL:MIT\nF:lib\nM:0:0:1777\nR:libc.so\na:0:0:755\nZ:Q1a=\nR:ld.so\nZ:Q1b=\n"
BUSYBOX = "C:Q1busy=\nP:busybox\nV:2-r0\np:cmd:sh=2-r0 /bin/sh\nF:bin\nR:busybox\na:0:0:755\nZ:Q1c=\n"


def scripts(*names: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name in names:
            info = tarfile.TarInfo(name)
            info.size = 10
            archive.addfile(info, io.BytesIO(b"#!/bin/sh\n"))
    return buffer.getvalue()


def alpine(database: str = APK) -> dict[str, bytes | str]:
    return {
        f"{database}/installed": f"{MUSL}\n{BUSYBOX}\n",
        f"{database}/triggers": "Q1busy= /bin /usr/bin\n",
        f"{database}/scripts.tar": scripts("busybox-2-r0.Q1busy=.trigger", "musl-1-r0.Q1musl=.post-install"),
        "etc/apk/world": "busybox>1\nmusl\n",
        "lib/libc.so": "1",
        "lib/ld.so": "1",
        "bin/busybox": "1",
    }


def test_files_of_apk_go_with_what_is_said_of_them() -> None:
    assert changes(ApkRewriter(), alpine(), {"lib/libc.so"}) == {
        f"{APK}/installed": f"{MUSL}\n{BUSYBOX}\n".replace("R:libc.so\na:0:0:755\nZ:Q1a=\n", "")
    }


def without_scripts(*names: str, database: str = APK) -> Callable[[Mapping[str, str | None]], bool]:
    def holds(found: Mapping[str, str | None]) -> bool:
        with tarfile.open(fileobj=io.BytesIO((found[f"{database}/scripts.tar"] or "").encode())) as archive:
            return archive.getnames() == list(names)

    return holds


def test_a_package_of_apk_goes_with_its_scripts_and_triggers_and_from_the_world() -> None:
    for database in (APK, f"usr/{APK}"):
        files = alpine(database)
        if database != APK:
            usual = alpine(database)
            files = {"lib": "-> usr/lib"}
            files |= {path.replace("lib/l", "usr/lib/l"): text for path, text in usual.items()}
        found = changes(ApkRewriter(), files, {"bin/busybox"})
        assert without_scripts("musl-1-r0.Q1musl=.post-install", database=database)(found)
        assert {path: new for path, new in found.items() if not path.endswith("scripts.tar")} == {
            f"{database}/installed": f"{MUSL}\n",
            f"{database}/triggers": "",
            "etc/apk/world": "musl\n",
        }


def test_a_broken_archive_of_scripts_stays() -> None:
    files = alpine() | {f"{APK}/scripts.tar": b"x" * 700}
    assert f"{APK}/scripts.tar" not in changes(ApkRewriter(), files, {"bin/busybox"})


# Python


def python() -> dict[str, bytes | str]:
    return {
        f"{SITE}/pkg/__init__.py": "",
        f"{SITE}/pkg/tests.py": "",
        f"{SITE}/pkg-1.dist-info/METADATA": "Name: pkg\nVersion: 1\n\n",
        f"{SITE}/pkg-1.dist-info/RECORD": (
            "pkg/__init__.py,sha256=a,0\r\n"
            '"pkg/tests.py",sha256=a,0\r\n'
            "../../../bin/pkg,,\r\n"
            "pkg-1.dist-info/METADATA,,\r\n"
            "pkg-1.dist-info/RECORD,,\r\n"
        ),
        "usr/bin/pkg": "1",
    }


def test_a_record_names_what_is_left() -> None:
    old = content(python()[f"{SITE}/pkg-1.dist-info/RECORD"]).decode()
    assert changes(PythonRewriter(), python(), ()) == {}
    assert changes(PythonRewriter(), python(), {f"{SITE}/pkg/tests.py", "usr/bin/pkg"}) == {
        f"{SITE}/pkg-1.dist-info/RECORD": old.replace('"pkg/tests.py",sha256=a,0\r\n', "").replace(
            "../../../bin/pkg,,\r\n", ""
        )
    }


def test_a_distribution_of_which_only_metadata_is_left_is_gone() -> None:
    gone = {f"{SITE}/pkg/__init__.py", f"{SITE}/pkg/tests.py", "usr/bin/pkg"}
    assert changes(PythonRewriter(), python(), gone) == {
        f"{SITE}/pkg-1.dist-info/METADATA": None,
        f"{SITE}/pkg-1.dist-info/RECORD": None,
    }


def test_an_egg_goes_with_its_module() -> None:
    files: Files = {
        f"{SITE}/six.py": "1",
        f"{SITE}/six-1.egg-info": "Name: six\nVersion: 1\n\n",
        f"{SITE}/old.py": "1",
        f"{SITE}/old-1.egg-info/PKG-INFO": "Name: old\nVersion: 1\n\n",
        f"{SITE}/old-1.egg-info/installed-files.txt": "../old.py\n../gone.py\nPKG-INFO\n",
        f"{SITE}/old-1.egg-info/top_level.txt": "old\n",
    }
    assert changes(PythonRewriter(), files, ()) == {
        f"{SITE}/old-1.egg-info/installed-files.txt": "../old.py\nPKG-INFO\n"
    }
    assert changes(PythonRewriter(), files, {f"{SITE}/old.py"}) == {
        f"{SITE}/old-1.egg-info/{name}": None for name in ("PKG-INFO", "installed-files.txt", "top_level.txt")
    }


# npm


def test_the_list_of_npm_names_packages_that_are_left() -> None:
    listed = {
        "name": "app",
        "lockfileVersion": 3,
        "packages": {
            "node_modules/a": {"version": "1"},
            "node_modules/a/node_modules/b": {"version": "\u00e9"},
        },
    }
    manifest = '{"name": "x", "version": "1"}'
    files: Files = {
        "app/node_modules/.package-lock.json": json.dumps(listed, indent=2),
        "app/node_modules/a/package.json": manifest,
        "app/node_modules/a/node_modules/b/package.json": manifest,
    }
    assert changes(NodeRewriter(), files, ()) == {}
    found = changes(NodeRewriter(), files, {"app/node_modules/a/node_modules/b/package.json"})
    del listed["packages"]["node_modules/a/node_modules/b"]  # type: ignore[attr-defined]
    assert found == {"app/node_modules/.package-lock.json": json.dumps(listed, indent=2) + "\n"}


def test_a_list_that_is_none_stays() -> None:
    for text in ("[", "[]", '{"packages": 1}', "[" * 100_000):
        files: Files = {
            "node_modules/.package-lock.json": text,
            "node_modules/a/package.json": '{"name": "a"}',
        }
        assert changes(NodeRewriter(), files, {"node_modules/a/package.json"}) == {}
