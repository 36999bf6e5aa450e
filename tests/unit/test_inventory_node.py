"""Node.js packages as npm, pnpm and Debian lay them out."""

from __future__ import annotations

import json

import pytest

from deadweight.inventory.node import COLLECTOR, NodeReader, installed_as, parse_manifest
from deadweight.layer.content import Whole
from language_samples import found_in, inventory_of, layer_tar, problems_in

READER = NodeReader()


def manifest(name: str, **fields: object) -> str:
    return json.dumps({"name": name, "version": "1.0.0", **fields})


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("node_modules/a/package.json", "a"),
        ("app/node_modules/@scope/a/package.json", "@scope/a"),
        ("app/node_modules/a/node_modules/b/package.json", "b"),
        ("app/node_modules/.pnpm/a@1.0.0/node_modules/a/package.json", "a"),
        ("usr/share/nodejs/a/package.json", "a"),
        ("usr/share/nodejs/@scope/a/package.json", "@scope/a"),
        ("usr/share/nodejs/@scope/a/lib/package.json", ""),
        ("home/usr/share/nodejs/a/package.json", ""),
        ("app/package.json", ""),
        ("app/node_modules/package.json", ""),
        ("app/node_modules/@scope/package.json", ""),
        ("app/node_modules/.cache/package.json", ""),
        ("app/node_modules/a/lib/package.json", ""),
        ("app/my_node_modules/a/package.json", ""),
        ("app/node_modules/a/other.json", ""),
        ("package.json", ""),
    ],
)
def test_only_roots_of_packages_count(path: str, expected: str) -> None:
    assert installed_as(path) == expected
    assert COLLECTOR.wants(path, 1) == bool(expected)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"license": "MIT"}, "MIT"),
        ({"license": {"type": "ISC", "url": "x"}}, "ISC"),
        ({"licenses": [{"type": "MIT"}, {"type": "BSD"}, {}, 7]}, "MIT OR BSD"),
        ({"license": ["MIT", "BSD"]}, "MIT OR BSD"),
        ({"license": 7}, ""),
        ({}, ""),
    ],
)
def test_old_forms_of_a_licence(fields: dict[str, object], expected: str) -> None:
    assert parse_manifest(manifest("a", **fields).encode())["license"] == expected


def test_dependencies_that_may_be_missing_are_not_required() -> None:
    content = manifest(
        "a", dependencies={"b": "^1", "c": "2", "b\0d": ""}, optionalDependencies={"c": "2", "d": ""}
    )
    assert parse_manifest(content.encode())["requires"] == ["b"]


@pytest.mark.parametrize("value", [[], ["b"], "b", None, 7])
def test_dependencies_of_another_type_are_none(value: object) -> None:
    content = manifest("a", dependencies=value, optionalDependencies=value)
    assert parse_manifest(content.encode()).get("requires", []) == []


def test_a_package_owns_what_is_below_it_but_not_the_packages_there() -> None:
    outer = {
        "app/node_modules/a/package.json": manifest("a", license="MIT", dependencies={"b": "1"}),
        "app/node_modules/a/lib/index.js": "x",
        "app/node_modules/a/lib/package.json": '{"type": "module"}',
        "app/node_modules/a/bin": "-> lib/index.js",
        "app/node_modules/a/node_modules/.bin/b": "-> ../b/b.js",
    }
    inner = {
        "app/node_modules/a/node_modules/b/package.json": manifest("b"),
        "app/node_modules/a/node_modules/b/b.js": "x",
    }
    others = {
        "app/node_modules/.package-lock.json": "{}",
        "app/package.json": manifest("app"),
        "app/index.js": "x",
    }
    packages = found_in(READER, outer | inner | others)
    assert packages.keys() == {"a", "b"}
    assert packages["a"].paths == tuple(sorted(outer))
    assert packages["b"].paths == tuple(sorted(inner))
    a = packages["a"]
    assert (a.ecosystem, a.version, a.license, a.source) == (
        "npm",
        "1.0.0",
        "MIT",
        "app/node_modules/a/package.json",
    )
    assert a.requires == (("b",),)


def test_links_of_pnpm_are_not_counted_twice() -> None:
    store = "app/node_modules/.pnpm/a@1.0.0/node_modules"
    files = {
        f"{store}/a/package.json": manifest("a"),
        f"{store}/a/index.js": "x",
        f"{store}/b": "-> ../../b@1.0.0/node_modules/b",
        "app/node_modules/a": "-> .pnpm/a@1.0.0/node_modules/a",
    }
    assert found_in(READER, files)["a"].paths == (f"{store}/a/index.js", f"{store}/a/package.json")


def test_a_package_linked_hard_is_found_in_both_places() -> None:
    files = {
        "one/node_modules/a/package.json": manifest("a"),
        "two/node_modules/a/package.json": "=> one/node_modules/a/package.json",
        "two/node_modules/a/index.js": "x",
        "store/abc": "=> one/node_modules/a/package.json",
    }
    inventory = inventory_of(READER, layer_tar(files))
    assert [package.paths for package in inventory.packages] == [
        ("one/node_modules/a/package.json",),
        ("two/node_modules/a/index.js", "two/node_modules/a/package.json"),
    ]


def test_the_directory_names_a_package_without_name_and_an_alias() -> None:
    files = {
        "node_modules/nameless/package.json": "{}",
        "node_modules/alias/package.json": manifest("real"),
    }
    packages = found_in(READER, files)
    assert (packages["nameless"].version, packages["nameless"].provides) == ("", ())
    assert packages["real"].provides == ("alias",)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"{", "is not valid JSON"),
        (b"[]", "is not valid JSON: a list where an object must be"),
        (b"\xff\xfe\x00", "is not valid JSON"),
        (b'{"a":' * 200_000, "is not valid JSON"),
        (b"[" * 1_000_000, "is not valid JSON"),
        (b'{"version": ' + b"9" * 100_000 + b"}", "is not valid JSON"),
        (b" " * ((1 << 20) + 1), "is larger than 1048576 bytes"),
    ],
    ids=["cut", "list", "binary", "deep", "deeper", "digits", "large"],
)
def test_broken_manifests_are_told(content: bytes, problem: str) -> None:
    (told,) = problems_in(READER, {"node_modules/a/package.json": content})
    assert told.startswith(f"node_modules/a/package.json: {problem}")


def test_names_that_no_terminal_should_see_are_dropped() -> None:
    fact = COLLECTOR.collect(
        "x", Whole(b'{"name": "a\\u001b[2J", "version": "\\ud800", "license": "x\\u0000"}')
    )
    assert fact == {"name": "", "version": "", "license": ""}


def test_a_byte_order_mark_is_skipped() -> None:
    assert parse_manifest(b"\xef\xbb\xbf" + manifest("a").encode())["name"] == "a"


def test_a_package_without_any_name_is_a_problem() -> None:
    path = "node_modules/\x1b[2J/package.json"
    assert problems_in(READER, {path: "{}"}) == (f"{path}: has no name",)
    assert found_in(READER, {path: manifest("a")})["a"].provides == ()
