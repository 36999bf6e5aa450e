from __future__ import annotations

from typing import Any

import pytest

from debian_by_hand import Debian, base, named, remarks_of
from layers_by_hand import Member, analysis_of, file, finding_of, link, paths_of, program


def test_what_is_not_reached_is_named_with_what_only_it_requires() -> None:
    analysis = base().analysis(Entrypoint=["/usr/sbin/web"])
    assert named(analysis) == {"tool", "libtool2"}
    assert paths_of(analysis, "unused-packages") == {"usr/bin/tool", "usr/lib/libtool.so.2"}
    finding = finding_of(analysis, "unused-packages")
    assert "4 of 6 packages are reached: from /usr/sbin/web" in finding.reason
    details = {cause.package: cause.detail for cause in finding.causes}
    assert details == {
        "deb:libtool2": "required only by tool",
        "deb:tool": "required by no installed package",
    }


def test_it_says_what_was_asked_for_where_apt_recorded_it() -> None:
    states = file("var/lib/apt/extended_states", b"Package: libtool2\nArchitecture: all\nAuto-Installed: 1\n")
    finding = finding_of(base().analysis(states, Entrypoint=["/usr/sbin/web"]), "unused-packages")
    details = {cause.package: cause.detail for cause in finding.causes}
    assert details["deb:libtool2"] == "required only by tool"
    assert details["deb:tool"] == "required by no installed package; asked for by name"


@pytest.mark.parametrize(
    "config",
    [
        {"Entrypoint": ["web"], "Env": ["PATH=/usr/sbin:/usr/bin"]},
        {"Cmd": ["/bin/sh", "-c", "exec web --now"]},
        {"Entrypoint": ["/start.sh"]},
        {"Entrypoint": ["env", "A=b", "web"]},
    ],
)
def test_the_program_is_found(config: dict[str, Any]) -> None:
    script = file("start.sh", b"#!/bin/sh\nexec web\n", 0o755)
    image = base().add("coreutils", program("usr/bin/env", "libc.so.6"), essential=True)
    assert named(image.analysis(script, link("bin", "usr/bin"), **config)) == {"tool", "libtool2"}


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"Cmd": ["bash"]},
        {"Cmd": ["/bin/sh"]},
        {"Cmd": ["/bin/sh", "-c", "$COMMAND"]},
        {"Entrypoint": ["/not/there"]},
        {"Healthcheck": {"Test": ["CMD", "web"]}},
    ],
)
def test_no_claim_where_nothing_can_be_followed(config: dict[str, Any]) -> None:
    image = base().add("bash", program("usr/bin/bash", "libc.so.6"), essential=True)
    assert named(image.analysis(link("bin", "usr/bin"), **config)) == set()


@pytest.mark.parametrize(
    ("member", "config"),
    [
        (file("srv/app/run.sh", b"#!/bin/sh\nset -e\nif true; then tool --x; fi\n"), {}),
        (file("srv/lib/x.sh", b"tool\n"), {}),
        (program("srv/app/binary", "libtool.so.2"), {}),
        (file("etc/x", b""), {"Cmd": ["--with", "/usr/bin/tool"]}),
        (file("etc/x", b""), {"Env": ["PATH=/usr/sbin:/usr/bin", "TOOL=/usr/bin/tool"]}),
        (file("etc/x", b""), {"Healthcheck": {"Test": ["CMD-SHELL", "tool --check || exit 1"]}}),
    ],
)
def test_further_roots(member: Member, config: dict[str, Any]) -> None:
    found = named(base().analysis(member, Entrypoint=["/usr/sbin/web"], **config))
    assert "libtool2" not in found


def test_a_script_of_the_package_manager_is_no_root() -> None:
    image = base().add("perl", program("usr/bin/perl", "libc.so.6"))
    assert named(image.analysis(Entrypoint=["/usr/sbin/web"])) == {"tool", "libtool2", "perl"}


def test_an_interpreter_with_code_of_its_own_leaves_only_what_is_for_developing() -> None:
    image = (
        base()
        .add("python3", program("usr/bin/python3", "libc.so.6"))
        .add("libx-dev", file("usr/include/x.h", 50), link("usr/lib/libx.so", "libx.so.1"), depends="libx1")
        .add("libx1", file("usr/lib/libx.so.1", b"\x7fELF" + b"x" * 60))
        .add("x-doc", file("usr/share/doc/x/index.html", 30))
        .add("data", file("usr/share/data/x", 30))
    )
    analysis = image.analysis(Entrypoint=["python3", "/srv/app.py"])
    assert named(analysis) == {"libx-dev", "x-doc"}
    assert "/usr/bin/python3 may start any program" in finding_of(analysis, "unused-packages").reason


def test_a_packaged_script_of_an_interpreter_says_what_it_requires() -> None:
    image = (
        base()
        .add("python3", program("usr/bin/python3", "libc.so.6"))
        .add("web-py", file("usr/bin/web.py", b"#!/usr/bin/python3\n", 0o755))
    )
    assert named(image.analysis(Entrypoint=["/usr/bin/web.py"])) == {"tool", "libtool2", "web", "libweb1"}


def test_modules_of_an_interpreter_that_is_not_reached_go_with_it() -> None:
    image = (
        base()
        .add("python3", program("usr/bin/python3", "libc.so.6"))
        .add("python3-x", file("usr/lib/python3/dist-packages/x.py", 40), depends="python3")
    )
    assert named(image.analysis(Entrypoint=["/usr/sbin/web"])) == {"tool", "libtool2", "python3", "python3-x"}


def test_a_script_that_env_starts_is_one_of_its_interpreter() -> None:
    image = base().add("python3", program("usr/bin/python3", "libc.so.6"))
    script = file("srv/run", b"#!/usr/bin/env -S python3 -u\n", 0o755)
    assert named(image.analysis(script, Entrypoint=["/usr/sbin/web"])) == set()


def test_a_path_can_be_required_and_lead_through_links() -> None:
    image = (
        base()
        .add("needy", program("usr/sbin/needy"), depends="/opt/tool")
        .add("other", program("usr/bin/other", size=3))
    )
    links = (link("opt", "usr/share"), link("usr/share/tool", "../bin/other"))
    assert named(image.analysis(*links, Entrypoint=["/usr/sbin/needy"])) == {
        "tool",
        "libtool2",
        "web",
        "libweb1",
    }


def test_a_library_or_plugin_that_somebody_may_load_is_not_named() -> None:
    image = (
        base()
        .add("libmagic1", file("usr/lib/libmagic.so.1", b"\x7fELF" + b"m" * 60))
        .add("web-module", file("usr/lib/web/module.so", b"\x7fELF" + b"w" * 60), depends="web")
        .add("data", file("usr/share/data/x", 30))
    )
    assert named(image.analysis(Entrypoint=["/usr/sbin/web"])) == {"tool", "libtool2"}


def test_what_is_opened_by_convention_is_not_named() -> None:
    image = (
        base()
        .add(
            "ca-certificates",
            file("usr/share/ca-certificates/x.crt", 30),
            program("usr/sbin/update-ca"),
            depends="openssl",
        )
        .add("openssl", program("usr/bin/openssl", "libc.so.6"))
        .add("tzdata", file("usr/share/zoneinfo/UTC", 30))
        .add("libnss-x", file("usr/lib/libnss_x.so.2", b"\x7fELF" + b"n" * 60))
    )
    # openssl would be named, did ca-certificates not require it.
    assert named(image.analysis(Entrypoint=["/usr/sbin/web"])) == {"tool", "libtool2"}


def test_essential_packages_and_the_package_manager_stay_with_all_they_need() -> None:
    image = (
        base()
        .add("apt", program("usr/bin/apt-get", "libapt.so.6"), depends="gpgv | gpgv2, adduser")
        .add("libapt6", file("usr/lib/libapt.so.6", b"\x7fELF" + b"a" * 60))
        .add("gpgv", program("usr/bin/gpgv"))
        .add("adduser", program("usr/sbin/adduser"))
    )
    assert named(image.analysis(Entrypoint=["/usr/sbin/web"])) == {"tool", "libtool2"}


def test_of_alternatives_all_that_are_installed_are_required() -> None:
    image = (
        base()
        .add("needy", program("usr/sbin/needy"), depends="one | two, virtual")
        .add("one", program("usr/bin/one"))
        .add("two", program("usr/bin/two"))
        .add("three", program("usr/bin/three"), provides="virtual")
    )
    assert named(image.analysis(Entrypoint=["/usr/sbin/needy"])) == {"tool", "libtool2", "web", "libweb1"}


def test_a_file_that_another_package_shares_stays() -> None:
    image = base().add("both", program("usr/bin/both"))
    analysis = image.analysis(Entrypoint=["/usr/sbin/web"])
    assert "usr/bin/both" in paths_of(analysis, "unused-packages")


def test_words_of_a_long_script_are_not_known() -> None:
    long = file("start.sh", b"#!/bin/sh\n# " + b"x" * (70 << 10) + b"\nweb\n", 0o755)
    image = base()
    analysis = image.analysis(long, link("bin", "usr/bin"), Entrypoint=["/start.sh"])
    assert named(analysis) == set()


def test_what_comes_along_with_a_reached_package_is_reached() -> None:
    database = (
        "P:box\nV:1\nA:x86_64\nF:bin\nR:box\n\n"
        "P:box-tls\nV:1\nA:x86_64\ni:box\nF:usr/bin\nR:box-tls\n\n"
        "P:tool\nV:1\nA:x86_64\nD:so:libt.so.1\nF:usr/bin\nR:tool\n\n"
        "P:libt\nV:1\nA:x86_64\np:so:libt.so.1=1.0\nF:usr/lib\nR:libt.so.1\n\n"
    )
    layer = [
        file("lib/apk/db/installed", database.encode()),
        file("etc/apk/world", b"box\ntool\n"),
        program("bin/box"),
        program("usr/bin/box-tls"),
        program("usr/bin/tool", size=9),
        file("usr/lib/libt.so.1", 40),
    ]
    causes = finding_of(analysis_of(layer, Entrypoint=["/bin/box"]), "unused-packages").causes
    assert {cause.package: cause.detail for cause in causes} == {
        "apk:tool": "required by no installed package; asked for by name",
        "apk:libt": "required only by tool",
    }


LONG = "/opt/" + "x" * 200


@pytest.mark.parametrize(
    ("config", "evidence"),
    [
        ({}, "the config starts no program"),
        ({"Healthcheck": {"Test": ["CMD", "web"]}}, "the config starts no program"),
        ({"Cmd": ["bash"]}, "the config starts bash, which may start any program"),
        ({"Cmd": ["/bin/bash", "-l"]}, "the config starts /bin/bash, which may start any program"),
        ({"Cmd": ["/bin/sh", "-c", "$COMMAND"]}, "the config starts /bin/sh, which may start any program"),
        ({"Entrypoint": ["/not/there"]}, "the config starts /not/there, which is not found in the image"),
        ({"Entrypoint": [""], "Cmd": ["web"]}, 'the config starts "", which is not found in the image'),
        ({"Cmd": [LONG]}, f"the config starts {LONG[:80]}…, which is not found in the image"),
    ],
)
def test_it_says_why_no_claim_is_made(config: dict[str, Any], evidence: str) -> None:
    image = base().add("bash", program("usr/bin/bash", "libc.so.6"), essential=True)
    analysis = image.analysis(link("bin", "usr/bin"), **config)
    assert remarks_of(analysis) == [f"Unused packages: no claim; {evidence}"]
    assert named(analysis) == set()


@pytest.mark.parametrize(
    ("member", "config", "program_that_may_start_any"),
    [
        (file("srv/app.py", b"x"), {"Entrypoint": ["python3", "/srv/app.py"]}, "/usr/bin/python3.11"),
        (file("srv/run", b"#!/usr/bin/python3\n"), {"Entrypoint": ["web"]}, "/usr/bin/python3.11"),
        (
            file("start.sh", b"#!/bin/sh\n# " + b"x" * (70 << 10), 0o755),
            {"Entrypoint": ["/start.sh"]},
            "/start.sh",
        ),
    ],
)
def test_it_says_what_may_start_any_program_where_nothing_is_for_developing(
    member: Member, config: dict[str, Any], program_that_may_start_any: str
) -> None:
    python = (program("usr/bin/python3.11", "libc.so.6"), link("usr/bin/python3", "python3.11"))
    image = base().add("python3", *python)
    (remark,) = remarks_of(image.analysis(member, link("bin", "usr/bin"), **config))
    assert remark == (
        "Unused packages: only development packages could be named, and none was found unused; the image may start "
        f"{program_that_may_start_any}, which may start any program"
    )


def test_there_is_no_remark_beside_a_finding() -> None:
    assert remarks_of(base().analysis(Entrypoint=["/usr/sbin/web"])) == []
    image = (
        base()
        .add("python3", program("usr/bin/python3", "libc.so.6"))
        .add("x-doc", file("usr/share/doc/x/index.html", 30))
    )
    analysis = image.analysis(Entrypoint=["python3"])
    assert named(analysis) == {"x-doc"}
    assert remarks_of(analysis) == []


@pytest.mark.parametrize("started", ["usr/sbin/web", "usr/bin/python3"])
def test_there_is_no_remark_where_every_package_is_reached(started: str) -> None:
    image = Debian().add("libc6", file("usr/lib/libc.so.6", b"\x7fELF" + b"c" * 60))
    image.add("started", program(started, "libc.so.6"))
    analysis = image.analysis(Entrypoint=[f"/{started}"])
    assert named(analysis) == set()
    assert remarks_of(analysis) == []


def test_there_is_no_remark_without_packages_of_a_distribution() -> None:
    metadata = file("usr/lib/python3.11/site-packages/x-1.dist-info/METADATA", b"Name: x\nVersion: 1\n")
    record = file("usr/lib/python3.11/site-packages/x-1.dist-info/RECORD", b"x.py,,\n")
    analysis = analysis_of([metadata, record, program("usr/bin/bash")], Cmd=["bash"])
    assert [package.label for package in analysis.inventory.packages] == ["python:x"]
    assert remarks_of(analysis) == []


def test_alpine_has_a_remark_as_well() -> None:
    layer = [
        file("lib/apk/db/installed", b"P:busybox\nV:1\nA:x86_64\nF:bin\nR:busybox\n\n"),
        program("bin/busybox"),
        link("bin/sh", "/bin/busybox"),
    ]
    assert remarks_of(analysis_of(layer, Cmd=["/bin/sh"])) == [
        "Unused packages: no claim; the config starts /bin/sh, which may start any program"
    ]
