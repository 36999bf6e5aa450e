"""Gems as RubyGems of several ages installs them."""

from __future__ import annotations

import pytest

from deadweight.inventory.ruby import COLLECTOR, RubyReader, parse_specification
from language_samples import found_in, inventory_of, layer_tar, problems_in

GEMS = "usr/local/lib/ruby/gems/3.3.0"
READER = RubyReader()


def specification(name: str, version: str = "1.0", *lines: str) -> str:
    body = "\n".join(f"  {line}" for line in lines)
    return f"""# -*- encoding: utf-8 -*-
# stub: {name} {version} ruby lib

Gem::Specification.new do |s|
  s.name = "{name}".freeze
  s.version = "{version}"
{body}
end
"""


def test_the_form_of_rubygems_3_3() -> None:
    described = parse_specification(
        specification(
            "xmlrpc",
            "0.3.2",
            's.licenses = ["Ruby".freeze, "BSD-2-Clause".freeze]',
            "if s.respond_to? :add_runtime_dependency then",
            '  s.add_runtime_dependency(%q<webrick>.freeze, [">= 0"])',
            '  s.add_development_dependency(%q<rake>.freeze, [">= 0"])',
            "else",
            '  s.add_dependency(%q<webrick>.freeze, [">= 0"])',
            '  s.add_dependency(%q<rake>.freeze, [">= 0"])',
            "end",
        )
    )
    assert described == {
        "name": "xmlrpc",
        "version": "0.3.2",
        "license": "Ruby OR BSD-2-Clause",
        "requires": ["webrick"],
        "files": "",
    }


@pytest.mark.parametrize(
    "line",
    [
        's.add_dependency(%q<webrick>.freeze, ["~> 1".freeze])',
        's.add_runtime_dependency(%q<webrick>, [">= 0"])',
        's.add_dependency("webrick", ">= 0")',
        "s.add_dependency('webrick')",
    ],
)
def test_forms_of_a_dependency(line: str) -> None:
    assert parse_specification(specification("a", "1", line))["requires"] == ["webrick"]


def test_code_is_never_run_nor_taken_for_a_value() -> None:
    content = (
        "Gem::Specification.new do |s|\n  s.name = File.read('/etc/passwd')\n  s.version = VERSION\nend\n"
    )
    assert parse_specification(content) == {
        "problem": "has no name or version in the form that RubyGems writes"
    }


@pytest.mark.parametrize("name", ["../../etc", "a b", "a/b", "", "a\x1b", "x" * 300])
def test_bad_names_are_a_problem(name: str) -> None:
    assert "problem" in parse_specification(specification(name))


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        (f"{GEMS}/specifications/a-1.gemspec", True),
        (f"{GEMS}/specifications/default/a-1.gemspec", True),
        ("specifications/a-1.gemspec", True),
        (f"{GEMS}/gems/a-1/a.gemspec", False),
        (f"{GEMS}/my_specifications/a-1.gemspec", False),
        (f"{GEMS}/specifications/other/a-1.gemspec", False),
    ],
)
def test_only_installed_specifications_count(path: str, wanted: bool) -> None:
    assert COLLECTOR.wants(path, 1) == wanted


def test_a_gem_owns_its_directories() -> None:
    full_name = "nokogiri-1.16.0-x86_64-linux"
    files = {
        f"{GEMS}/specifications/{full_name}.gemspec": specification(
            "nokogiri", "1.16.0", 's.license = "MIT".freeze'
        ),
        f"{GEMS}/gems/{full_name}/lib/nokogiri.rb": "x",
        f"{GEMS}/extensions/x86_64-linux/3.3.0/{full_name}/nokogiri.so": "x",
        f"{GEMS}/doc/{full_name}/ri/cache.ri": "x",
        f"{GEMS}/cache/{full_name}.gem": "x",
        f"{GEMS}/build_info/{full_name}.info": "x",
    }
    others = {f"{GEMS}/gems/nokogiri-1.15.0/lib/nokogiri.rb": "x", f"{GEMS}/cache/other-1.gem": "x"}
    package = found_in(READER, files | others)["nokogiri"]
    assert (package.ecosystem, package.version, package.license) == ("gem", "1.16.0", "MIT")
    assert package.paths == tuple(sorted(files))


def test_a_gem_that_comes_with_ruby_owns_its_part_of_the_library() -> None:
    library = "usr/local/lib/ruby/3.3.0"
    listed = 's.files = ["bigdecimal.rb".freeze, "lib/bigdecimal/util.rb".freeze, "bigdecimal.so".freeze, "README".freeze]'
    files = {
        f"{GEMS}/specifications/default/bigdecimal-3.1.1.gemspec": specification(
            "bigdecimal", "3.1.1", listed
        ),
        f"{GEMS}/gems/bigdecimal-3.1.1/exe/tool": "x",
        f"{library}/bigdecimal.rb": "x",
        f"{library}/bigdecimal/util.rb": "x",
        f"{library}/x86_64-linux/bigdecimal.so": "x",
    }
    others = {
        f"{library}/x86_64-linux/rbconfig.rb": "x",
        f"{library}/json.rb": "x",
        f"{library}/other/bigdecimal.so": "x",
    }
    assert found_in(READER, files | others)["bigdecimal"].paths == tuple(sorted(files))


def test_a_gem_directory_at_the_root_and_loops_of_links() -> None:
    files = {
        "specifications/a-1.0.gemspec": specification("a"),
        "gems": "-> gems",
        "doc/a-1.0/x": "x",
        "extensions": "-> extensions",
    }
    assert found_in(READER, files)["a"].paths == ("doc/a-1.0/x", "specifications/a-1.0.gemspec")


@pytest.mark.parametrize("file_name", ["..", "b-1.0", "a-1.01", "a"])
def test_a_specification_under_a_wrong_name_is_a_problem(file_name: str) -> None:
    files = {f"{GEMS}/specifications/{file_name}.gemspec": specification("a"), f"{GEMS}/x": "x"}
    assert problems_in(READER, files) == (
        f"{GEMS}/specifications/{file_name}.gemspec: is not named after its gem, a-1.0",
    )


def test_gem_directories_that_are_one_are_owned_once() -> None:
    files = {"one/gems/a-1.0/a.rb": "x", "two/gems": "-> ../one/gems"}
    for home in ("one", "two"):
        files[f"{home}/specifications/a-1.0.gemspec"] = specification("a")
    paths = [package.paths for package in inventory_of(READER, layer_tar(files)).packages]
    assert paths == [
        ("one/gems/a-1.0/a.rb", "one/specifications/a-1.0.gemspec"),
        ("two/specifications/a-1.0.gemspec",),
    ]


def test_a_large_specification_is_a_problem() -> None:
    path = f"{GEMS}/specifications/a-1.gemspec"
    assert problems_in(READER, {path: b" " * ((256 << 10) + 1)}) == (f"{path}: is larger than 262144 bytes",)
