"""Packages of the distribution that nothing reached leads to.

The claim is kept to what the evidence carries. A package is named where nothing reached leads to it, nothing outside of
those named requires it, and it is one of these: it brings programs; it is there only for one that does; it is a module of
an interpreter that is not reached; or it holds nothing but files to develop with. Where something is reached that may
start any program, only the last kind is named. Packages whose files libraries open by convention are not named, nor are
metapackages that something reached may have come with. What saves no bytes is not counted.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from deadweight.accounting.findings.places import Classifier
from deadweight.accounting.model import Cause, Finding, Remark
from deadweight.accounting.programs import runs_any_code
from deadweight.accounting.reach import Reach, reach
from deadweight.accounting.start import NoStart
from deadweight.accounting.view import View
from deadweight.inventory.model import APK, DEB, RPM, Package
from deadweight.layer.entry import SYMLINK
from deadweight.tree.node import Tree

_ID = "unused-packages"
_SYSTEMS = frozenset({APK, DEB, RPM})
_PROGRAM = re.compile(r"\n(?:usr/(?:local/)?)?(?:s?bin|games)/([^/\n]+)(?=\n)")
_DATA_BY_CONVENTION = re.compile(
    r"\n(?:etc/(?:ssl|pki|fonts|nginx/modules|OpenCL/vendors|terminfo)[/-]|etc/(?:services|protocols|passwd|mime\.types)\n"
    r"|lib/terminfo/|usr/lib/(?:gconv|locale|php|nginx/modules|apache2/modules)/"
    r"|usr/share/(?:ca-certificates|fonts|glib-2\.0|hunspell|iso-codes|mime|terminfo|vulkan|xml|zoneinfo)/)"
)
_PLUGIN_BY_CONVENTION = re.compile(
    r"/(?:libnss_|security/pam_|sasl2/|gconv/|ossl-modules/|engines-|gio/modules/|gdk-pixbuf-|gstreamer-|dri/|odbc/"
    r"|pkcs11/|krb5/plugins/)"
)
"""Paths that programs and libraries open without any dependency that says so."""
_NOTICE = re.compile(
    r"usr/share/(?:doc|licenses|lintian/overrides)/"
    r"(?:[^/]+/(?:copyright|(?:changelog|NEWS|README|LICEN[CS]E|COPYING)[^/]*)|[^/]+)"
)
"""What a package holds that brings nothing of its own."""
_TO_DEVELOP = frozenset({"development", "documentation", "man-pages", "locales"})


class UnusedPackages:
    """Packages of the distribution that no chain of evidence leads to."""

    def find(self, view: View) -> Iterator[Finding | Remark]:
        """At most one finding; or a remark, where the config starts nothing that can be followed, such as a shell, and
        where any program may be started and no unused package is one to develop with.
        """
        packages = [package for package in view.inventory.packages if package.ecosystem in _SYSTEMS]
        if not packages:
            return
        try:
            found = reach(view, packages)
        except NoStart as reason:
            yield Remark(_ID, f"Unused packages: no claim; {reason}")
            return
        unused = _unused(view, found)
        unused_ids = {id(packages[number]) for number in unused}
        owner_of = view.inventory.owners.get
        portions = [
            (file, file.entry.size)
            for file in view.files
            if id(owner_of(file.path)) in unused_ids
            and all(id(owner_of(name.path)) in unused_ids for name in view.other_names(file))
        ]
        finding = view.suspect(
            _ID,
            "Packages that nothing reached requires",
            _reason(found, len({id(owner_of(file.path)) for file, size in portions if size})),
            "Do not install them, or only in a build stage; apt-get install --no-install-recommends, and dnf install "
            "--setopt=install_weak_deps=False, leave out what is only recommended. Then try what the image is for.",
            portions,
        )
        if finding is not None:
            yield replace(finding, causes=tuple(_with_evidence(finding.causes, found)))
        elif found.open_ended and len(found.reached) < len(packages):
            yield Remark(_ID, _remark(found))


def _unused(view: View, found: Reach) -> set[int]:
    """The packages to be named, by number."""
    packages = found.packages
    kept = found.reached | _names_for_reached(found)
    classifier = Classifier(view)
    candidates = {
        number
        for number, package in enumerate(packages)
        if number not in kept and not package.essential and not _is_convention(package)
    }
    programs = {number: _programs(packages[number]) for number in candidates}
    named = {
        number
        for number in candidates
        if not programs[number] and _is_for_developing(packages[number], classifier, view.merged.tree)
    }
    if not found.open_ended:
        interpreters = {number for number in candidates if any(map(runs_any_code, programs[number]))}
        named |= {number for number in candidates if programs[number]}
        named |= {number for number in candidates if not found.requires[number].isdisjoint(interpreters)}
        named |= found.below(named) & candidates
    while outside := {number for number in named if not found.required_by[number] <= named}:
        named -= outside
    return named


def _is_convention(package: Package) -> bool:
    paths = _lines(package)
    return _DATA_BY_CONVENTION.search(paths) is not None or _PLUGIN_BY_CONVENTION.search(paths) is not None


def _names_for_reached(found: Reach) -> set[int]:
    """Metapackages, nothing but names for what they require, of which something is reached."""
    names: set[int] = set()
    left = list(found.reached)
    while left:
        for number in found.required_by[left.pop()] - names:
            if all(map(_NOTICE.fullmatch, found.packages[number].paths)):
                names.add(number)
                left.append(number)
    return names


def _programs(package: Package) -> list[str]:
    return _PROGRAM.findall(_lines(package))


def _lines(package: Package) -> str:
    """The paths of `package`, each between two line ends, so that one search looks at all of them."""
    return "\n" + "\n".join(package.paths) + "\n"


def _is_for_developing(package: Package, classifier: Classifier, tree: Tree) -> bool:
    return all(
        path.endswith("/copyright")
        or classifier.kind_of(path) in _TO_DEVELOP
        or (path.endswith(".so") and (node := tree.find(path)) is not None and node.entry.kind == SYMLINK)
        for path in package.paths
    )


def _reason(found: Reach, named: int) -> str:
    total = len(found.packages)
    text = (
        f"{len(found.reached)} of {total} packages are reached: from /{found.start}, which the config starts, from what else "
        "it names, and from files that no package owns, through libraries, interpreters, words of shell scripts and "
        f"declared dependencies. Named are {named} that are not, and that nothing reached requires. "
    )
    if found.open_ended:
        return text + (
            f"/{found.open_ended} may start any program: packages are named only where all that they hold is for developing."
        )
    return text + "Not seen is what a program starts by name, or opens by path, while it runs."


def _remark(found: Reach) -> str:
    return (
        "Unused packages: only development packages could be named, and none was found unused; the image may start "
        f"/{found.open_ended}, which may start any program"
    )


def _with_evidence(causes: Iterable[Cause], found: Reach) -> Iterator[Cause]:
    numbers = {package.label: number for number, package in enumerate(found.packages)}
    # Where nothing was pulled in by others, nobody recorded what was.
    recorded = any(package.wanted is False for package in found.packages)
    for cause in causes:
        number = numbers.get(cause.package)
        if number is None:
            yield cause
            continue
        names = sorted({found.packages[one].name for one in found.required_by[number]})
        shown = ", ".join(names[:5]) + (f" and {len(names) - 5} others" if len(names) > 5 else "")
        detail = f"required only by {shown}" if names else "required by no installed package"
        if recorded and found.packages[number].wanted:
            detail += "; asked for by name"
        yield replace(cause, detail=detail)
