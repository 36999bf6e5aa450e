"""dpkg's databases, generated, against a plain reader: one regular expression for each field, one look-up for each path."""

from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from deadweight.inventory.dpkg import DpkgReader
from language_samples import inventory_of, layer_tar

names = st.from_regex(r"[a-z][a-z0-9+.-]{1,6}", fullmatch=True)
versions = st.from_regex(r"([0-9]:)?[0-9]\.[0-9](-[0-9])?", fullmatch=True)
relations = st.builds(
    lambda name, qualifier, version: name + qualifier + version,
    names,
    st.sampled_from(["", ":any", ":amd64"]),
    st.sampled_from(["", " (>= 1.0)", "(<<2)", " [linux-any]", " <!nocheck>"]),
)
dependencies = st.lists(st.lists(relations, min_size=1, max_size=3).map(" | ".join), max_size=4).map(
    ", ".join
)
parts = st.sampled_from(["bin", "usr", "usr/bin", "lib", "usr/lib", "etc"])
paths = st.builds("/{}/{}".format, parts, st.sampled_from(["a", "b", "c"]))
packages = st.fixed_dictionaries(
    {
        "Version": versions,
        "Depends": dependencies,
        "Pre-Depends": dependencies,
        "Provides": st.lists(relations, max_size=2).map(", ".join),
        "Description": st.just("one line\n and a longer text\n Depends: not-this\n ."),
        "Essential": st.sampled_from(["yes", "no"]),
    }
)
states = st.sampled_from(["install ok installed", "install ok half-configured", "purge ok not-installed"])
databases = st.dictionaries(names, st.tuples(packages, states, st.lists(paths, max_size=6)), max_size=6)


@settings(deadline=None)
@given(databases, st.sets(paths))
def test_packages_and_owners(
    database: dict[str, tuple[dict[str, str], str, list[str]]], present: set[str]
) -> None:
    # /bin is a link to /usr/bin and /lib one to /usr/lib: both names of a file are one file.
    tree: dict[str, bytes | str] = {
        "usr/bin/keep": b"",
        "usr/lib/keep": b"",
        "bin": "-> usr/bin",
        "lib": "-> /usr/lib",
        **{_real(path): b"x" for path in sorted(present)},
    }
    status = []
    for name, (fields, state, listed) in database.items():
        lines = [f"{field}: {value}" for field, value in fields.items() if value]
        status.append("\n".join([f"Package: {name}", f"Status: {state}", *lines]) + "\n")
        tree[f"var/lib/dpkg/info/{name}.list"] = "".join(f"{path}\n" for path in ["/.", "/bin", *listed])
    tree["var/lib/dpkg/status"] = "\n".join(status)

    inventory = inventory_of(DpkgReader(), layer_tar(tree))

    expected = {name: item for name, item in database.items() if not item[1].endswith("not-installed")}
    assert [package.name for package in inventory.packages] == sorted(expected)
    for package in inventory.packages:
        fields, _, listed = expected[package.name]
        assert package.version == fields["Version"]
        assert package.essential == (fields["Essential"] == "yes")
        assert set(package.requires) == _plain(fields["Pre-Depends"]) | _plain(fields["Depends"])
        assert package.provides == tuple(
            dict.fromkeys(re.findall(r"(?:^|, )([a-z0-9+.-]+)", fields["Provides"]))
        )
        below_bin = any(path.startswith("/bin/") for path in listed)
        links = set() if below_bin else {"bin"}
        assert set(package.paths) - {"bin"} == {_real(path) for path in listed if _exists(path, present)}
        assert set(package.paths) & {"bin"} == links
        assert list(package.paths) == sorted(package.paths)
    for path, owner in inventory.owners.items():
        assert owner.name == min(package.name for package in inventory.packages if path in package.paths)


def _real(path: str) -> str:
    folder, _, name = path.rpartition("/")
    return {"/bin": "usr/bin", "/lib": "usr/lib"}.get(folder, folder[1:]) + "/" + name


def _exists(path: str, present: set[str]) -> bool:
    return _real(path) in {_real(other) for other in present}


def _plain(dependencies: str) -> set[tuple[str, ...]]:
    found = set()
    for requirement in filter(None, dependencies.split(", ")):
        alternatives = requirement.split(" | ")
        found.add(tuple(re.sub(r"[ (:\[<].*", "", alternative) for alternative in alternatives))
    return found
