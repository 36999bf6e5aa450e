"""Which packages of Node a JavaScript application reaches."""

from __future__ import annotations

import json

from deadweight.evidence.closure.node import NodeClosure
from deadweight.evidence.closure.node_names import imported, quoted
from deadweight.evidence.model import Evidence
from debian_by_hand import Debian
from layers_by_hand import Member, file, link, program
from scenes import needed, scene_of

NODE = "usr/local/bin/node"


def package(name: str, *files: Member, under: str = "srv/app", **fields: object) -> list[Member]:
    """An installed package with a manifest, an index and `files`, whose paths lead from its directory."""
    directory = f"{under}/node_modules/{name}"
    manifest = json.dumps({"name": name, "version": "1.0.0", **fields})
    inner = [file(f"{directory}/{one.path}", one.content, one.mode) for one in files]
    return [file(f"{directory}/package.json", manifest.encode()), file(f"{directory}/index.js"), *inner]


def source(text: str, path: str = "srv/app/main.js") -> Member:
    return file(path, text.encode())


def follow(*members: Member, **config: object) -> Evidence:
    return needed(scene_of(program(NODE), *members, **config), [], NodeClosure())


def reached(evidence: Evidence) -> set[str]:
    """The names of the packages of which an index is needed."""
    ends = "/index.js"
    return {
        path.rpartition("node_modules/")[2].removesuffix(ends)
        for path in evidence.reasons
        if path.endswith(ends)
    }


def test_packages_that_are_named_stay_whole_and_the_others_go() -> None:
    evidence = follow(
        source(
            'const a = require("one/part"); import("@scope/two"); const late = "three"; app.set("x", `four`)'
        ),
        *package("one", file("data/x.bin"), file("README.md"), file("types.d.ts")),
        *package("@scope/two"),
        *package("three"),
        *package("four"),
        *package("typescript"),
    )
    assert reached(evidence) == {"one", "@scope/two", "three", "four"}
    kept = set(evidence.reasons)
    assert "srv/app/node_modules/one/data/x.bin" in kept
    assert not {"srv/app/node_modules/one/README.md", "srv/app/node_modules/one/types.d.ts"} & kept


def test_dependencies_come_along_the_nearest_first() -> None:
    inner = package("dep", under="srv/app/node_modules/one")
    evidence = follow(
        source('import one from "one"'),
        *package(
            "one",
            dependencies={"dep": "1"},
            optionalDependencies={"opt": "1"},
            peerDependencies={"peer": "1"},
        ),
        *inner,
        *package("dep"),
        *package("opt"),
        *package("peer"),
        *package("dev"),
    )
    assert reached(evidence) == {"one", "dep", "opt", "peer"}
    assert inner[1].path in evidence.reasons
    assert "srv/app/node_modules/dep/index.js" not in evidence.reasons
    *_, first, start = evidence.chain(inner[1].path)
    assert (first.path, first.because) == (
        "srv/app/node_modules/one/package.json",
        "srv/app/main.js names it",
    )
    assert start.path == NODE


def test_the_manifest_of_the_application_says_what_it_depends_on() -> None:
    manifest = {"dependencies": {"one": "1"}, "devDependencies": {"two": "1"}, "name": "app"}
    evidence = follow(source(json.dumps(manifest), "srv/app/package.json"), *package("one"), *package("two"))
    assert reached(evidence) == {"one"}


def test_packages_import_what_they_do_not_declare() -> None:
    text = b"try { module.exports = require('helper') } catch {} // 'typescript'\nconst x = 'other'"
    evidence = follow(
        source('require("one")'),
        *package("one", file("lib.js", text)),
        *package("helper"),
        *package("other"),
        *package("typescript"),
    )
    assert reached(evidence) == {"one", "helper"}


def test_names_that_are_put_together() -> None:
    evidence = follow(
        source('require("driver-" + name); import(`@scope/${name}`)'),
        *package("driver-a"),
        *package("driver-b"),
        *package("@scope/c"),
        *package("other"),
    )
    assert reached(evidence) == {"driver-a", "driver-b", "@scope/c"}


def test_links_of_a_store_are_followed() -> None:
    store = "srv/app/node_modules/.pnpm"
    evidence = follow(
        source('require("one")'),
        *package("one", under=f"{store}/one@1.0.0", dependencies={"two": "1"}),
        *package("two", under=f"{store}/two@1.0.0"),
        link("srv/app/node_modules/one", ".pnpm/one@1.0.0/node_modules/one"),
        link(f"{store}/one@1.0.0/node_modules/two", "../../two@1.0.0/node_modules/two"),
    )
    assert reached(evidence) == {"one", "two"}
    assert "srv/app/node_modules/one" in evidence.reasons
    assert f"{store}/one@1.0.0/node_modules/two" in evidence.reasons


def test_settings_of_tools_count_only_where_the_tool_is_reached() -> None:
    settings = source('module.exports = { plugins: [require("plugin")] }', "srv/app/webpack.config.js")
    others = [*package("webpack"), *package("plugin")]
    assert reached(follow(source(""), settings, *others)) == set()
    assert reached(follow(source('require("webpack")'), settings, *others)) == {"webpack", "plugin"}
    own = source('module.exports = "plugin"', "srv/app/site.config.js")
    assert reached(follow(own, *others)) == {"plugin"}


def test_tests_of_the_application_do_not_count() -> None:
    evidence = follow(
        source('require("checker")', "srv/app/test/a.js"),
        source("'checker'", "srv/app/a.spec.js"),
        *package("checker"),
    )
    assert reached(evidence) == set()


def test_scripts_that_npm_starts() -> None:
    manifest = {"scripts": {"start": "npm run inner && runner main.js", "inner": "tool", "lint": "linter ."}}
    members = [
        source(json.dumps(manifest), "srv/app/package.json"),
        *package("runner", file("cli.js")),
        *package("linter", file("cli.js")),
        *package("tool"),
        link("srv/app/node_modules/.bin/runner", "../runner/cli.js"),
        link("srv/app/node_modules/.bin/linter", "../linter/cli.js"),
    ]
    assert reached(follow(*members, Entrypoint=["npm", "start"])) == {"runner", "tool"}
    assert reached(follow(*members, Entrypoint=["node", "main.js"])) == set()


def test_what_the_config_preloads() -> None:
    options = ["NODE_OPTIONS=--require first/register"]
    evidence = follow(
        *package("first"),
        *package("second"),
        Env=options,
        Cmd=["node", "-r", "second"],
        WorkingDir="/srv/app",
    )
    assert reached(evidence) == {"first", "second"}


def test_without_node_javascript_is_what_browsers_are_sent() -> None:
    members = [source('require("one")'), *package("one")]
    assert reached(needed(scene_of(*members), [], NodeClosure())) == set()


def test_modules_of_debian_stay_only_if_reached() -> None:
    debian = Debian()
    for name in ("one", "two"):
        directory = f"usr/share/nodejs/{name}"
        manifest = json.dumps({"name": name, "version": "1"}).encode()
        debian.add(f"node-{name}", file(f"{directory}/package.json", manifest), file(f"{directory}/index.js"))
    debian.add(
        "both", program("usr/bin/both"), file("usr/share/nodejs/three/package.json", b'{"name":"three"}')
    )
    kept = needed(
        scene_of(*debian.layer, program(NODE), source("'one'")), ["usr/bin/both"], NodeClosure()
    ).reasons
    assert "usr/share/nodejs/one/index.js" in kept
    assert not {"usr/share/nodejs/two/index.js", "usr/share/nodejs/three/package.json"} & set(kept)


def test_a_manifest_that_is_no_json_names_nothing() -> None:
    evidence = follow(source("{", "srv/app/package.json"), source("[" * 100_000, "srv/b/package.json"))
    assert reached(evidence) == set()


def test_names_in_text() -> None:
    assert quoted("don't `a` 'b/c' \"@s/d/e\" 'x y' '@t/' 'f-'+g `h${i}`") == [
        "@s/d",
        "@t/",
        "a",
        "b",
        "f-",
        "h",
    ]
    text = "require ( 'a' ) import{x}from\"b\";import/**/'n';export*from'c' require.resolve('d') 'e' import(/* x */ 'f')"
    assert imported(text) == ["a", "b", "c", "d", "f", "n"]


def test_names_are_found_in_time_in_proportion() -> None:
    for hostile in (
        "'" * 400_000,
        "'@a" * 200_000,
        "require(" * 100_000,
        "from " * 100_000,
        "'" + "a" * 500_000,
    ):
        quoted(hostile)
        imported(hostile)
