"""What pip, npm, Go, jar and RubyGems really install, and whether they agree with us. No network is needed."""

from __future__ import annotations

import json
import os
import subprocess
import venv
import zipfile
from importlib.metadata import Distribution, distributions
from pathlib import Path

import pytest

from conftest import require, require_program
from deadweight.inventory import jar
from deadweight.inventory.golang import GoReader
from deadweight.inventory.java import JavaReader
from deadweight.inventory.model import Inventory
from deadweight.inventory.node import NodeReader
from deadweight.inventory.python import PythonReader, normalised
from deadweight.inventory.ruby import RubyReader, parse_specification
from deadweight.layer.content import Whole
from language_samples import directory_tar, inventory_of


def run(*command: str | Path, cwd: Path, **variables: str) -> str:
    """What `command` prints; it is run in `cwd`, with a home of its own."""
    environment = {**os.environ, "HOME": str(cwd), **variables}
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    return done.stdout


def write(directory: Path, files: dict[str, str]) -> Path:
    for name, content in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return directory


def summary(inventory: Inventory) -> dict[str, str]:
    assert inventory.problems == ()
    return {package.name: package.version for package in inventory.packages}


# Python


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with pip, which comes with Python, and a distribution of ours that it installed."""
    home = tmp_path_factory.mktemp("python") / "env"
    venv.create(home, with_pip=True, symlinks=True)
    project = write(home.parent / "project", {"example.py": "def main(): pass\n", "example_data/x.txt": "x"})
    wheel = project / "The_Example-1.5-py3-none-any.whl"
    info = "The_Example-1.5.dist-info"
    with zipfile.ZipFile(wheel, "w") as archive:
        for name in ("example.py", "example_data/x.txt"):
            archive.write(project / name, name)
        metadata = "Metadata-Version: 2.4\nName: The.Example\nVersion: 1.5\nLicense-Expression: MIT\nRequires-Dist: pip>=1\n"
        archive.writestr(f"{info}/METADATA", metadata)
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/entry_points.txt", "[console_scripts]\nthe-example = example:main\n")
        archive.writestr(
            f"{info}/RECORD", f"example.py,,\nexample_data/x.txt,,\n{info}/METADATA,,\n{info}/RECORD,,\n"
        )
    run(home / "bin/pip", "install", "--no-index", "--quiet", wheel, cwd=home.parent)
    return home


def test_what_pip_installed_is_owned_to_the_last_file(environment: Path) -> None:
    inventory = inventory_of(PythonReader(), directory_tar(environment))
    site = next(environment.glob("lib/python3*/site-packages"))
    found: list[Distribution] = list(distributions(path=[str(site)]))
    assert summary(inventory) == {normalised(one.metadata["Name"]): one.version for one in found}
    files = {str(path.relative_to(environment)) for path in site.rglob("*") if not path.is_dir()}
    scripts = {str(path.relative_to(environment)) for path in environment.glob("bin/*pip*")}
    assert inventory.owners.keys() == files | scripts | {"bin/the-example"}
    example = inventory.owners["bin/the-example"]
    assert (example.license, example.requires) == ("MIT", (("pip",),))


def test_importlib_names_no_file_that_we_do_not(environment: Path) -> None:
    owners = inventory_of(PythonReader(), directory_tar(environment)).owners
    site = next(environment.glob("lib/python3*/site-packages"))
    for distribution in distributions(path=[str(site)]):
        for file in distribution.files or ():
            path = Path(os.path.normpath(str(file.locate())))
            if path.exists():
                assert owners[str(path.relative_to(environment))].name == normalised(
                    distribution.metadata["Name"]
                )


def test_what_pip_puts_into_a_target_is_owned(environment: Path, tmp_path: Path) -> None:
    wheel = next((environment.parent / "project").glob("*.whl"))
    target = tmp_path / "target"
    run(
        environment / "bin/pip",
        "install",
        "--no-index",
        "--no-deps",
        "--quiet",
        "--target",
        target,
        wheel,
        cwd=tmp_path,
    )
    inventory = inventory_of(PythonReader(), directory_tar(target))
    assert summary(inventory) == {"the-example": "1.5"}
    assert inventory.owners.keys() == {
        str(path.relative_to(target)) for path in target.rglob("*") if not path.is_dir()
    }


# Node.js


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project into which npm installed two packages, one of which brings another version of the other."""
    npm = require_program("npm")
    place = tmp_path_factory.mktemp("npm")

    def package(name: str, version: str, **fields: object) -> str:
        return json.dumps({"name": name, "version": version, "license": "MIT", "main": "index.js", **fields})

    write(
        place / "a",
        {"package.json": package("@example/a", "1.0.0"), "index.js": "", "lib/package.json": "{}"},
    )
    dependencies = {"dependencies": {"@example/a": "^2.0.0"}, "bundleDependencies": ["@example/a"]}
    write(
        place / "b",
        {
            "package.json": package("b", "3.0.0", **dependencies, bin={"b-tool": "index.js"}),
            "index.js": "#!/usr/bin/env node\n",
            "node_modules/@example/a/package.json": package("@example/a", "2.0.0"),
            "node_modules/@example/a/index.js": "",
        },
    )
    app = write(place / "app", {"package.json": json.dumps({"name": "app", "private": True}), "app.js": ""})
    tarballs = [place / run(npm, "pack", "--silent", f"./{name}", cwd=place).strip() for name in ("a", "b")]
    run(npm, "install", "--offline", "--no-audit", "--no-fund", *tarballs, cwd=app)
    return app


def test_we_find_the_packages_that_npm_lists(project: Path) -> None:
    listed = run("npm", "ls", "--all", "--parseable", "--long", cwd=project).splitlines()
    expected = {tuple(line.split(":")[:2]) for line in listed if not line.startswith(f"{project}:")}
    inventory = inventory_of(NodeReader(), directory_tar(project))
    assert inventory.problems == ()
    found = {
        (f"{project / one.source}".removesuffix("/package.json"), f"{one.name}@{one.version}")
        for one in inventory.packages
    }
    assert found == expected
    assert len(found) == 3


def test_what_npm_installed_is_owned(project: Path) -> None:
    owners = inventory_of(NodeReader(), directory_tar(project)).owners
    modules = project / "node_modules"
    files = {path.relative_to(project) for path in modules.rglob("*") if not path.is_dir()}
    own = {Path("node_modules/.package-lock.json"), Path("node_modules/.bin/b-tool")}
    assert owners.keys() == {str(path) for path in files - own}
    assert owners["node_modules/b/index.js"].requires == (("@example/a",),)
    assert owners["node_modules/b/node_modules/@example/a/index.js"].version == "2.0.0"


# Go


def test_we_find_the_modules_that_go_lists(tmp_path: Path) -> None:
    go = require_program("go")
    main = 'package main\n\nimport "example.com/dep"\n\nfunc main() { println(dep.Name) }\n'
    requirement = "require example.com/dep v1.2.3\n\nreplace example.com/dep v1.2.3 => ./dep\n"
    write(
        tmp_path,
        {
            "go.mod": f"module example.com/tool\n\ngo 1.19\n\n{requirement}",
            "main.go": main,
            "dep/go.mod": "module example.com/dep\n\ngo 1.19\n",
            "dep/dep.go": 'package dep\n\nconst Name = "dep"\n',
            "root/etc/motd": "hi",
        },
    )
    output = tmp_path / "root/usr/bin/tool"
    variables = {
        "GOPROXY": "off",
        "GOFLAGS": "-mod=mod",
        "GOTOOLCHAIN": "local",
        "GOPATH": str(tmp_path / "go"),
    }
    run(go, "build", "-ldflags=-s -w", "-o", output, ".", cwd=tmp_path, **variables)
    os.link(output, output.with_name("alias"))
    inventory = inventory_of(GoReader(), directory_tar(tmp_path / "root"))
    listed = run(go, "version", "-m", output, cwd=tmp_path, **variables)
    lines = [line.split("\t") for line in listed.splitlines()]
    modules = {line[2]: line[3] for line in lines if line[1:2] in (["mod"], ["dep"])}
    assert summary(inventory) == {**modules, "stdlib": listed.splitlines()[0].rpartition(" ")[2]}
    assert modules.keys() == {"example.com/tool", "example.com/dep"}
    assert {path: owner.name for path, owner in inventory.owners.items()} == {
        "usr/bin/alias": "example.com/tool",
        "usr/bin/tool": "example.com/tool",
    }


# Java


def test_archives_that_jar_made(tmp_path: Path) -> None:
    program = require_program("jar")
    properties = "groupId=com.example\nartifactId={}\nversion=1.5\n"
    for name in ("lib", "app"):
        write(
            tmp_path / name,
            {
                f"META-INF/maven/com.example/{name}/pom.properties": properties.format(name),
                f"com/example/{name}/Main.class": "x" * 2000,
            },
        )
    write(
        tmp_path,
        {"manifest": "Implementation-Version: 1.5\nBundle-License: Apache-2.0\n", "root/etc/motd": "hi"},
    )
    (tmp_path / "app/BOOT-INF/lib").mkdir(parents=True)
    run(program, "cf", "app/BOOT-INF/lib/lib-1.5.jar", "-C", "lib", ".", cwd=tmp_path)
    run(program, "cfm0", "root/app.jar", "manifest", "-C", "app", ".", cwd=tmp_path)
    inventory = inventory_of(JavaReader(), directory_tar(tmp_path / "root"))
    assert summary(inventory) == {"com.example:app": "1.5", "com.example:lib": "1.5"}
    owner = inventory.owners["app.jar"]
    assert (owner.name, owner.license) == ("com.example:app", "Apache-2.0")


def test_we_find_the_coordinates_in_the_archives_of_this_machine() -> None:
    paths = [path for path in sorted(Path("/usr/share/java").glob("*.jar")) if not path.is_symlink()]
    require(paths, "a Java library of Debian (libcommons-io-java)")
    for path in paths:
        fact = jar.COLLECTOR.collect(path.name, Whole(path.read_bytes()))
        assert isinstance(fact, dict)
        assert "unread" not in fact
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if name.endswith("/pom.properties")]
            expected = {jar.parse_properties(archive.read(name)) for name in names} - {""}
        assert fact.get("modules", []) == sorted(expected)


# Ruby


def test_a_gem_that_rubygems_installed(tmp_path: Path) -> None:
    gem = require_program("gem")
    write(
        tmp_path / "source",
        {
            "lib/example.rb": "module Example; end\n",
            "exe/example": "#!/usr/bin/env ruby\n",
            "example.gemspec": """Gem::Specification.new do |s|
              s.name = "the-example"
              s.version = "1.5.0"
              s.summary = "An example"
              s.authors = ["Nobody"]
              s.licenses = ["MIT", "Apache-2.0"]
              s.files = Dir["lib/**/*"] + ["exe/example"]
              s.add_dependency "rake", ">= 1"
              s.add_development_dependency "rspec"
            end
            """,
        },
    )
    run(gem, "build", "-q", "--force", "example.gemspec", cwd=tmp_path / "source")
    home = tmp_path / "root/var/lib/gems"
    options: list[str | Path] = ["--local", "--ignore-dependencies", "--no-document", "--install-dir", home]
    run(gem, "install", "-q", *options, "the-example-1.5.0.gem", cwd=tmp_path / "source")
    inventory = inventory_of(RubyReader(), directory_tar(tmp_path / "root"))
    assert summary(inventory) == {"the-example": "1.5.0"}
    files = {str(path.relative_to(tmp_path / "root")) for path in home.rglob("*") if not path.is_dir()}
    assert inventory.owners.keys() == files
    (package,) = inventory.packages
    assert (package.license, package.requires) == ("MIT OR Apache-2.0", (("rake",),))


def test_we_read_every_specification_as_rubygems_does(tmp_path: Path) -> None:
    ruby = require_program("ruby")
    script = (
        "require 'json'; puts JSON.generate(Gem::Specification.map { |s| [s.loaded_from, s.name, s.version.to_s,"
        " s.licenses, s.runtime_dependencies.map(&:name)] })"
    )
    listed = json.loads(run(ruby, "-e", script, cwd=tmp_path))
    require(listed, "a gem")
    for path, name, version, licenses, dependencies in listed:
        fact = parse_specification(Path(path).read_text())
        assert (fact["name"], fact["version"]) == (name, version)
        assert fact["license"] == " OR ".join(licenses)
        assert fact["requires"] == dependencies
