"""Java archives as Maven, Gradle, Spring Boot and Debian make them, and runtimes."""

from __future__ import annotations

import io
import zipfile

import pytest

from deadweight.inventory.jar import COLLECTOR, parse_manifest, parse_properties
from deadweight.inventory.java import JavaReader, split_file_name
from deadweight.layer.collect import Fact, ends
from deadweight.layer.content import Kept, Space, Whole
from language_samples import found_in, inventory_of, layer_tar, problems_in

READER = JavaReader()
MANIFEST = "META-INF/MANIFEST.MF"


Members = dict[str, bytes | str]


def jar(members: Members, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content, method)
    return buffer.getvalue()


def pom(group: str, artifact: str, version: str) -> Members:
    properties = (
        f"#Created by Maven\n#Tue Jan 03\nversion={version}\ngroupId={group}\nartifactId={artifact}\n"
    )
    return {f"META-INF/maven/{group}/{artifact}/pom.properties": properties}


def owner(path: str, members: Members) -> tuple[str, str]:
    """Name and version of the package that owns the archive."""
    package = inventory_of(READER, layer_tar({path: jar(members)})).owners[path]
    return package.name, package.version


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("lib/guava-31.1-jre.jar", ("guava", "31.1-jre")),
        ("log4j-1.2-api-2.17.1.jar", ("log4j-1.2-api", "2.17.1")),
        ("netty-transport-4.1.94.Final-linux-x86_64.jar", ("netty-transport", "4.1.94.Final-linux-x86_64")),
        ("app-0.0.1-SNAPSHOT.war", ("app", "0.0.1-SNAPSHOT")),
        ("app.jar", ("app", "")),
        ("tools-extra.jar", ("tools-extra", "")),
        ("a\x1b-1.jar", ("", "")),
        ("-" * 60_000 + "1.jar", ("", "")),
    ],
)
def test_file_names_of_maven_repositories(path: str, expected: tuple[str, str]) -> None:
    assert split_file_name(path) == expected


def test_manifest_with_folded_lines_and_sections() -> None:
    manifest = (
        b"Manifest-Version: 1.0\r\nBundle-Version: 1.2\r\nImplementation-Version: 1.\r\n 2.3\r\nBundle-License: MIT\r\n"
        b"\r\nName: x\r\nBundle-License: GPL\r\n"
    )
    assert parse_manifest(manifest) == {"version": "1.2.3", "license": "MIT"}
    assert parse_manifest(b"\xff\0") == {}


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"groupId=g\nartifactId=a\nversion=1\n", "g:a 1"),
        (b"groupId = g\r\nartifactId: a\r\nversion=${project.version}\r\n", "g:a "),
        (b"artifactId=a\nversion=1\n", ""),
        (b"groupId=../g\nartifactId=a\nversion=1\n", ""),
        (b"", ""),
        (b"\xff\xfe\0", ""),
    ],
)
def test_pom_properties(content: bytes, expected: str) -> None:
    assert parse_properties(content).strip() == expected.strip()


def test_maven_coordinates_name_an_archive() -> None:
    files = {
        "opt/lib/commons-io-2.11.0.jar": jar(
            {MANIFEST: "Bundle-License: MIT\n", **pom("org.c", "commons-io", "2.11.0")}
        )
    }
    package = found_in(READER, files)["org.c:commons-io"]
    assert (package.ecosystem, package.version, package.license) == ("java", "2.11.0", "MIT")
    assert (package.source, package.paths) == (
        "opt/lib/commons-io-2.11.0.jar",
        ("opt/lib/commons-io-2.11.0.jar",),
    )


@pytest.mark.parametrize(
    ("path", "members", "expected"),
    [
        ("app.jar", pom("g", "my-service", "1.0"), ("g:my-service", "1.0")),
        ("a-1.0-tests.jar", pom("g", "a", "1.0"), ("g:a", "1.0")),
        ("a-spec-1.3.jar", pom("g", "a_spec", "1.3"), ("g:a_spec", "1.3")),
        ("a-1.3-spec.jar", pom("g", "a_1.3_spec", "1.3"), ("g:a_1.3_spec", "1.3")),
        ("all.jar", pom("g", "a", "1") | pom("g", "b", "2"), ("all", "")),
        ("a-1.0.jar", pom("g", "b", "2.0"), ("a", "1.0")),
        (
            "guice.jar",
            {MANIFEST: "Bundle-Version: 4.2.3\n", **pom("cglib", "cglib", "3.2")},
            ("guice", "4.2.3"),
        ),
        (
            "api.jar",
            {MANIFEST: "Bundle-Version: 1.3.0\n", **pom("g", "the-api", "1.3-rc")},
            ("g:the-api", "1.3-rc"),
        ),
        ("plain-2.jar", {"A.class": "x"}, ("plain", "2")),
        ("plain.jar", {MANIFEST: "Implementation-Version: 3\n"}, ("plain", "3")),
        ("plain.jar", {}, ("plain", "")),
    ],
)
def test_what_an_archive_is_called(path: str, members: Members, expected: tuple[str, str]) -> None:
    assert owner(path, members) == expected


def test_what_was_packed_into_an_archive_owns_nothing() -> None:
    members = pom("g", "app", "1") | pom("g", "b", "2")
    packages = found_in(READER, {"app-1.jar": jar(members)})
    assert packages.keys() == {"g:app", "g:b"}
    assert (packages["g:b"].version, packages["g:b"].source, packages["g:b"].paths) == ("2", "app-1.jar", ())


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_archives_in_an_archive(method: int) -> None:
    library = jar(pom("g", "lib", "1") | pom("g", "shaded", "2"))
    deeper = jar({"WEB-INF/lib/too-deep-1.jar": library})
    members: Members = {
        "BOOT-INF/lib/lib-1.jar": library,
        "BOOT-INF/lib/plain-3.jar": jar({}),
        "inner.war": deeper,
    }
    packages = found_in(READER, {"app.jar": jar(members | pom("g", "app", "9"), method)})
    versions = {name: package.version for name, package in packages.items()}
    assert versions == {"g:app": "9", "g:lib": "1", "g:shaded": "2", "plain": "3", "inner": ""}
    assert {name for name, package in packages.items() if package.paths} == {"g:app"}


def test_hard_links_to_an_archive_hold_its_parts_once() -> None:
    files: dict[str, bytes | str] = {
        "app-1.jar": jar(pom("g", "b", "2") | pom("g", "app", "1")),
        "z.jar": "=> app-1.jar",
    }
    inventory = inventory_of(READER, layer_tar(files))
    found = [(package.name, package.source, package.paths) for package in inventory.packages]
    assert found == [
        ("g:app", "app-1.jar", ("app-1.jar",)),
        ("g:b", "app-1.jar", ()),
        ("z", "z.jar", ("z.jar",)),
    ]


def test_a_name_that_no_package_could_have_is_a_problem() -> None:
    path = "a\x1b-1.jar"
    assert problems_in(READER, {path: jar({})}) == (f"{path}: has no name that a package could have",)


def test_an_archive_after_a_script_is_read() -> None:
    executable = b"#!/bin/sh\nexec java -jar $0\n" + jar(pom("g", "app", "1"))
    assert found_in(READER, {"app.jar": executable})["g:app"].version == "1"


def collected_from_ends(data: bytes) -> Fact:
    content = Kept(len(data), ends(len(data), 80_000), Space())
    content.append(memoryview(data))
    return COLLECTOR.collect("app.jar", content)


def test_what_was_not_kept_is_told() -> None:
    filler = b"x" * 100_000
    members: Members = {
        "a": filler,
        "lib/b-2.jar": jar(pom("g", "b", "2")),
        "c": filler,
        **pom("g", "app", "1"),
    }
    assert collected_from_ends(jar(members, zipfile.ZIP_STORED)) == {
        "modules": ["g:app 1"],
        "inner": [{"path": "lib/b-2.jar"}],
        "unread": ["lib/b-2.jar"],
    }
    assert collected_from_ends(jar({f"{number:0200}": b"" for number in range(1000)})) == {
        "unread": ["its directory"]
    }


def test_an_archive_in_which_something_is_broken_is_told_and_counted() -> None:
    members: Members = {f"lib/b{number}-2.jar": b"no zip" for number in range(4)}
    inventory = inventory_of(READER, layer_tar({"app-1.jar": jar(members)}))
    (problem,) = inventory.problems
    assert problem.startswith(
        "app-1.jar: parts of it could not be read, so that only names tell what they are: "
    )
    assert problem.endswith(": lib/b0-2.jar, lib/b1-2.jar, lib/b2-2.jar, ...")
    names = [(package.name, package.version) for package in inventory.packages]
    assert names == [("app", "1"), ("b0", "2"), ("b1", "2"), ("b2", "2"), ("b3", "2")]


def test_an_archive_that_swells_is_not_unpacked() -> None:
    fact: Fact = COLLECTOR.collect("a.jar", Whole(jar({"lib/bomb.jar": b"\0" * 1_000_000})))
    assert fact == {"inner": [{"path": "lib/bomb.jar"}], "unread": ["lib/bomb.jar"]}


@pytest.mark.parametrize("content", [b"", b"x", b"PK\5\6", b"version https://git-lfs.github.com/spec/v1\n"])
def test_what_is_no_archive_is_a_problem(content: bytes) -> None:
    assert COLLECTOR.collect("a.jar", Whole(content)) == {"problem": "is no ZIP archive"}


def test_only_names_with_a_suffix_count() -> None:
    assert problems_in(READER, {"var/lib/dpkg/alternatives/jar": "auto\n", "release": "1\n"}) == ()
    assert problems_in(READER, {"a.jar": "auto\n"}) == ("a.jar: is no ZIP archive",)


RELEASE = 'IMPLEMENTOR="Debian"\nJAVA_VERSION="17.0.9"\nMODULES="java.base"\n'


def test_a_runtime_owns_its_directory() -> None:
    home = "usr/lib/jvm/java-17"
    files: Members = {
        f"{home}/release": RELEASE,
        f"{home}/bin/java": "x",
        f"{home}/lib/jrt-fs.jar": jar(pom("g", "jrt-fs", "1")),
        f"{home}/lib/link": "-> /etc/java",
    }
    packages = found_in(READER, files | {"usr/lib/jvm/other": "x"})
    assert packages.keys() == {"jre"}
    assert (packages["jre"].version, packages["jre"].paths) == ("17.0.9", tuple(sorted(files)))
    assert found_in(READER, files | {f"{home}/bin/javac": "x"}).keys() == {"jdk"}


def test_a_runtime_in_a_runtime_is_a_part_of_it() -> None:
    files = {f"{home}/{name}": RELEASE for home in ("jdk", "jdk/jre") for name in ("release", "bin/java")}
    (package,) = found_in(READER, files).values()
    assert package.paths == tuple(sorted(files))


def test_a_release_file_without_a_runtime_is_nothing() -> None:
    assert (
        found_in(READER, {"app/release": RELEASE, "opt/release": "JAVA_HOME=x\n", "opt/bin/java": "x"}) == {}
    )
