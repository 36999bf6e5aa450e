from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from deadweight.accounting.model import BROUGHT, DEAD, HID, SUSPECT, Analysis, Finding
from deadweight.accounting.view import View
from layers_by_hand import (
    Members,
    analysis_of,
    directory,
    file,
    finding_of,
    hard_link,
    link,
    paths_of,
    whiteout,
)


class TestDead:
    LAYERS: tuple[Members, ...] = (
        [file("changed", 100), file("chmodded", 200), file("dir/gone", 300), file("kept", 400)],
        [file("changed", b"new"), file("chmodded", b"chmodded\n".ljust(200, b"."), 0o755), whiteout("dir")],
    )

    def test_each_class_has_its_finding(self) -> None:
        analysis = analysis_of(*self.LAYERS)
        found = {finding.id: finding.unpacked for finding in analysis.findings if finding.kind == DEAD}
        assert found == {"superseded": 100, "restated": 200, "deleted": 300}
        assert found == {kind: size for kind, size in analysis.classes.items() if kind != "live"}

    def test_it_says_who_brought_and_who_hid_the_bytes(self) -> None:
        analysis = analysis_of(*self.LAYERS, instructions=("COPY . /", "RUN rm -r /dir"))
        brought, hid = "COPY . /", "RUN rm -r /dir"
        causes = [
            (cause.role, cause.layer, cause.instruction, cause.unpacked)
            for cause in finding_of(analysis, "deleted").causes
        ]
        assert causes == [(HID, 1, hid, 300), (BROUGHT, 0, brought, 300)]

    def test_dead_findings_come_first(self) -> None:
        analysis = analysis_of([file("a", 10), file("tmp/x", 5000)], [file("a", b"new")])
        assert [finding.kind for finding in analysis.findings] == [DEAD, SUSPECT]

    def test_a_path_twice_in_one_layer_is_two_contents(self) -> None:
        analysis = analysis_of([file("a", 10), file("a", b"x" * 20), file("a", b"y" * 30)])
        assert finding_of(analysis, "superseded").unpacked == 30
        assert [item.unpacked for item in finding_of(analysis, "superseded").items] == [20, 10]


class TestDuplicates:
    def test_all_copies_but_one_could_go(self) -> None:
        same = b"same content"
        analysis = analysis_of([file("a", same), file("b", same)], [file("0", same), file("other", 12)])
        assert finding_of(analysis, "duplicates").unpacked == 2 * len(same)
        assert len(paths_of(analysis, "duplicates")) == 2

    def test_hard_links_are_no_duplicates(self) -> None:
        analysis = analysis_of([file("a", b"content"), hard_link("b", "a")])
        assert paths_of(analysis, "duplicates") == set()

    def test_empty_files_are_none(self) -> None:
        assert paths_of(analysis_of([file("a"), file("b")]), "duplicates") == set()


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("var/lib/apt/lists/deb.debian.org_dists_bookworm_main_Packages.lz4", "package-lists"),
        ("var/cache/apt/pkgcache.bin", "package-lists"),
        ("var/cache/apk/APKINDEX.066df28d.tar.gz", "package-lists"),
        ("var/cache/dnf/baseos/repodata/primary.xml.gz", "package-lists"),
        ("root/.cache/pip/http/a/b", "caches"),
        ("home/node/.npm/_cacache/content-v2/x", "caches"),
        ("root/.m2/repository/org/x.jar", "caches"),
        ("go/pkg/mod/github.com/x/y@v1/z.go", "caches"),
        ("root/.cache/go-build/00/x-a", "caches"),
        ("usr/local/cargo/registry/src/x", "caches"),
        ("var/cache/ldconfig/aux-cache", "caches"),
        ("srv/app/.pytest_cache/v/x", "caches"),
        ("var/log/dpkg.log", "logs"),
        ("root/.npm/_logs/x.log", "logs"),
        ("tmp/build.tar", "temporary"),
        ("var/tmp/x/y", "temporary"),
        ("usr/share/doc/bash/README", "documentation"),
        ("usr/share/man/man1/ls.1.gz", "man-pages"),
        ("usr/share/info/sed.info.gz", "man-pages"),
        ("usr/share/locale/de/LC_MESSAGES/bash.mo", "locales"),
        ("usr/share/i18n/charmaps/UTF-8.gz", "locales"),
        ("usr/include/stdio.h", "development"),
        ("usr/local/include/node/v8.h", "development"),
        ("usr/lib/x86_64-linux-gnu/libm.a", "development"),
        ("usr/lib/libfoo.la", "development"),
        ("usr/lib/x86_64-linux-gnu/crt1.o", "development"),
        ("usr/lib/x86_64-linux-gnu/pkgconfig/zlib.pc", "development"),
        ("usr/lib/gcc/x86_64-linux-gnu/12/cc1", "development"),
        ("usr/lib/python3.11/config-3.11-x86_64-linux-gnu/Makefile", "development"),
        ("root/.cache/node-gyp/20.1.0/include/node.h", "development"),
        ("srv/node_modules/x/index.d.ts", "development"),
        ("srv/node_modules/x/lib/index.js.map", "development"),
        ("usr/lib/python3/dist-packages/numpy/core/tests/test_umath.py", "tests"),
        ("etc/ssh/sshd_config.dpkg-old", "leftovers"),
        ("etc/nginx.conf.rpmnew", "leftovers"),
        ("etc/passwd-", "leftovers"),
        ("var/lib/dpkg/status-old", "leftovers"),
        ("srv/.DS_Store", "leftovers"),
    ],
)
def test_a_known_place(path: str, name: str) -> None:
    analysis = analysis_of([file(path, 100), file("srv/app/main", 100)])
    assert paths_of(analysis, name) == {path}
    assert finding_of(analysis, name).unpacked == 100


@pytest.mark.parametrize(
    "path",
    [
        "usr/share/doc/bash/copyright",
        "usr/share/doc/x/LICENSE.md",
        "usr/share/licenses/x/COPYING",
        "usr/share/locale/locale.alias",
        "usr/lib/locale/C.utf8/LC_CTYPE",
        "usr/lib/locale/locale-archive",
        "usr/lib/x86_64-linux-gnu/libm.so.6",
        "usr/lib/x86_64-linux-gnu/ImageMagick-6/modules/coders/png.la",
        "usr/lib/gcc/x86_64-linux-gnu/12/liblto_plugin.so",
        "root/.cache/ms-playwright/chromium/chrome",
        "root/.cache/huggingface/hub/model.bin",
        "srv/app/tests/test_x.py",
        "srv/app/index.d.ts",
        "srv/repository.git/HEAD",
        "srv/.git/config",
        "srv/pkgs/x",
        "usr/src/app/main.js",
        "srv/tmp/x",
        "data/core",
        "usr/share/zoneinfo/Europe/Berlin",
        "var/lib/dpkg/info/bash.postinst",
        "var/lib/dpkg/status",
        "etc/profile.d/x-",
        "usr/lib/python3/dist-packages/astropy/tests/runner.py",
    ],
)
def test_what_only_looks_like_one(path: str) -> None:
    assert [finding.id for finding in analysis_of([file(path, 5000)]).findings] == []


class TestPlaces:
    def test_a_repository_is_known_by_what_it_holds(self) -> None:
        analysis = analysis_of(
            [file("srv/.git/HEAD", 20), file("srv/.git/objects/pack/x.pack", 900), file("srv/.gitignore", 9)]
        )
        assert paths_of(analysis, "version-control") == {"srv/.git/HEAD", "srv/.git/objects/pack/x.pack"}

    def test_a_content_counts_when_all_its_names_would_go(self) -> None:
        analysis = analysis_of(
            [file("tmp/a", 100), hard_link("srv/a", "tmp/a"), file("tmp/b", 50), hard_link("tmp/c", "tmp/b")]
        )
        assert finding_of(analysis, "temporary").unpacked == 50
        assert paths_of(analysis, "temporary") == {"tmp/b", "tmp/c"}

    @pytest.mark.parametrize(
        "config",
        [
            {"Entrypoint": ["/tmp/app/run"]},
            {"Cmd": ["sh", "-c", "exec /tmp/app/run --now"]},
            {"Env": ["APP_HOME=/tmp/app"]},
            {"WorkingDir": "/tmp/app"},
            {"Healthcheck": {"Test": ["CMD", "/tmp/app/check"]}},
            {"Volumes": {"/tmp/app": {}}},
        ],
    )
    def test_what_the_config_speaks_of_is_not_named(self, config: dict[str, Any]) -> None:
        analysis = analysis_of(
            [file("tmp/app/run", 100), file("tmp/app/lib", 100), file("tmp/other", 100)], **config
        )
        assert paths_of(analysis, "temporary") == {"tmp/other"}

    def test_a_variable_that_says_where_to_write_is_no_use(self) -> None:
        analysis = analysis_of([file("tmp/x", 100)], Env=["TMPDIR=/tmp", "PATH=/usr/bin:/tmp/x"])
        assert paths_of(analysis, "temporary") == {"tmp/x"}

    def test_the_working_directory_itself_is_a_place(self) -> None:
        assert paths_of(analysis_of([file("tmp/x", 100)], WorkingDir="/tmp"), "temporary") == set()

    def test_what_a_link_elsewhere_leads_to_is_not_named(self) -> None:
        layer = [
            file("root/.cache/uv/archive/pkg/mod.py", 100),
            link("srv/pkg", "/root/.cache/uv/archive/pkg"),
        ]
        assert paths_of(analysis_of(layer), "caches") == set()
        assert paths_of(
            analysis_of([file("root/.cache/uv/a/x", 100), link("root/.cache/uv/b", "a/x")]), "caches"
        ) == {"root/.cache/uv/a/x"}

    def test_the_language_that_is_asked_for_stays(self) -> None:
        layer = [file(f"usr/share/locale/{name}/LC_MESSAGES/x.mo", 100) for name in ("de", "de_AT", "fr")]
        assert paths_of(analysis_of(layer, Env=["LANG=de_DE.UTF-8"]), "locales") == {
            "usr/share/locale/fr/LC_MESSAGES/x.mo"
        }

    def test_a_tool_that_the_image_starts_needs_its_files(self) -> None:
        layer = [file("root/.m2/repository/x.jar", 100), file("usr/include/x.h", 100)]
        assert paths_of(analysis_of(layer, Cmd=["mvn", "spring-boot:run"]), "caches") == set()
        assert paths_of(analysis_of(layer, Entrypoint=["/usr/bin/gcc"]), "development") == set()

    def test_homes_are_where_the_config_says(self) -> None:
        layer = [file("data/me/.cache/pip/x", 100)]
        assert paths_of(analysis_of(layer, Env=["HOME=/data/me"]), "caches") == {"data/me/.cache/pip/x"}
        assert paths_of(analysis_of(layer), "caches") == set()

    def test_the_remedy_names_the_package_manager(self) -> None:
        lists = file("var/lib/apt/lists/x", 100)
        assert (
            "apt-get"
            in finding_of(analysis_of([lists, file("usr/bin/apt-get", b"x", 0o755)]), "package-lists").remedy
        )
        assert (
            "apk add"
            in finding_of(analysis_of([lists, file("sbin/apk", b"x", 0o755)]), "package-lists").remedy
        )

    def test_the_reason_names_what_was_found(self) -> None:
        reason = finding_of(
            analysis_of([file("root/.cache/pip/x", 100), file("root/.npm/_cacache/y", 200)]), "caches"
        ).reason
        assert reason.endswith(
            "Found: ~/.npm/_cacache (downloads of npm), ~/.cache/pip (downloads and wheels of pip)."
        )

    def test_a_core_dump_is_known_by_its_content(self) -> None:
        dump = bytearray(b"\x7fELF\2\1\1" + bytes(9) + b"\4\0\x3e\0\1\0\0\0" + bytes(40))
        dump[52:54] = b"\x40\0"
        assert paths_of(analysis_of([file("srv/x", bytes(dump))]), "leftovers") == {"srv/x"}


class TestBytecode:
    def test_it_lies_beside_its_source(self) -> None:
        layer = [
            file("srv/a.py", 10),
            file("srv/__pycache__/a.cpython-311.pyc", 100),
            file("srv/__pycache__/a.cpython-311.opt-1.pyc", 90),
            file("srv/b.py", 10),
            file("srv/b.pyc", 80),
            file("srv/__pycache__/alone.cpython-311.pyc", 70),
            file("srv/c.pyc", 60),
        ]
        assert finding_of(analysis_of(layer), "bytecode").unpacked == 270


class TestWire:
    def test_it_is_the_share_of_the_files(self) -> None:
        analysis = analysis_of([file("tmp/a", 5000), file("b", 100)])
        finding = finding_of(analysis, "temporary")
        assert finding.wire == sum(item.wire or 0 for item in finding.items)
        assert finding.wire is not None
        assert analysis.wire is not None
        assert 0 < finding.wire < analysis.wire

    def test_it_is_unknown_where_the_layer_is_stored_uncompressed(self) -> None:
        finding = finding_of(analysis_of([file("tmp/a", 5000)], compression="uncompressed"), "temporary")
        assert finding.wire is None
        assert finding.items[0].wire is None


class Everything:
    """A finder of a third party."""

    def find(self, view: View) -> Iterator[Finding]:
        portions = [(file, file.entry.size) for file in view.files]
        finding = view.suspect("everything", "Everything", "It is there.", "Remove it.", portions)
        if finding is not None:
            yield finding


def test_a_third_party_adds_a_finder() -> None:
    analysis: Analysis = analysis_of([file("a", 10)], finders=(Everything(),))
    assert [finding.id for finding in analysis.findings] == ["everything"]


def test_the_causes_name_packages_and_instructions() -> None:
    status = b"Package: x\nStatus: install ok installed\nArchitecture: all\nVersion: 1\nDescription: x\n\n"
    layer = [
        directory("usr/share/doc/x"),
        file("var/lib/dpkg/status", status),
        file("var/lib/dpkg/info/x.list", b"/usr/share/doc/x/README\n"),
        file("usr/share/doc/x/README", 100),
        file("usr/share/doc/y/README", 30),
    ]
    causes = finding_of(analysis_of(layer, instructions=("COPY . /",)), "documentation").causes
    assert [(cause.package, cause.instruction, cause.unpacked) for cause in causes] == [
        ("deb:x", "COPY . /", 100),
        ("", "COPY . /", 30),
    ]
