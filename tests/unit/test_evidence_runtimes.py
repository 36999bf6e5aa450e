"""Runtimes that stay whole: Java, Ruby, Perl, PHP and others."""

from __future__ import annotations

import pytest

from deadweight.evidence.closure.java import JavaClosure
from deadweight.evidence.closure.perl import PerlClosure
from deadweight.evidence.closure.php import PhpClosure
from deadweight.evidence.closure.ruby import RubyClosure
from deadweight.evidence.closure.runtimes import Runtime, RuntimesClosure, known_runtimes
from debian_by_hand import Debian
from layers_by_hand import file, link, program
from scenes import needed, scene_of

HOME = "usr/lib/jvm/java"


def jvm() -> Debian:
    return (
        Debian()
        .add(
            "jre", program(f"{HOME}/bin/java"), program(f"{HOME}/lib/libawt.so"), file(f"{HOME}/lib/modules")
        )
        .add(
            "jdk",
            program(f"{HOME}/bin/javac"),
            file(f"{HOME}/jmods/java.base.jmod"),
            file(f"{HOME}/lib/src.zip"),
        )
    )


def test_a_java_runtime_stays_whole_but_for_what_builds_programs() -> None:
    members = [*jvm().layer, file("etc/java-17/security/policy"), link(f"{HOME}/conf", "/etc/java-17")]
    kept = set(needed(scene_of(*members), [f"{HOME}/bin/java"], JavaClosure()).reasons)
    assert {f"{HOME}/{path}" for path in ("lib/libawt.so", "lib/modules", "bin/javac", "conf")} <= kept
    assert "etc/java-17/security/policy" in kept
    assert not {f"{HOME}/jmods/java.base.jmod", f"{HOME}/lib/src.zip"} & kept
    assert not {
        path for path in needed(scene_of(*members), [], JavaClosure()).reasons if path.startswith(HOME)
    }


def test_ruby_keeps_the_gems_of_the_lock_else_all() -> None:
    gems = "usr/local/lib/ruby/gems/3.3.0"
    members = [program("usr/local/bin/ruby"), file("usr/local/lib/ruby/3.3.0/set.rb")]
    for name in ("rack", "rubocop"):
        text = f'  s.name = "{name}".freeze\n  s.version = "1.0"\n'
        members.append(file(f"{gems}/specifications/{name}-1.0.gemspec", text.encode()))
        members.append(file(f"{gems}/gems/{name}-1.0/lib/{name}.rb"))
    lock = file(
        "srv/Gemfile.lock", b"GEM\n  remote: https://x/\n  specs:\n    rack (1.0)\n\nDEPENDENCIES\n  rack\n"
    )
    all_of_them = {f"{gems}/gems/{name}-1.0/lib/{name}.rb" for name in ("rack", "rubocop")}
    assert all_of_them <= set(needed(scene_of(*members), [], RubyClosure(), RuntimesClosure()).reasons)
    kept = set(needed(scene_of(*members, lock), [], RubyClosure()).reasons)
    assert all_of_them & kept == {f"{gems}/gems/rack-1.0/lib/rack.rb"}


def test_php_keeps_its_settings_and_the_extensions_that_they_name() -> None:
    folder = "usr/lib/php/20220829"
    debian = (
        Debian()
        .add("php-cli", program("usr/bin/php8.2"), program(f"{folder}/opcache.so"))
        .add("php-mbstring", program(f"{folder}/mbstring.so"))
        .add("php-xml", program(f"{folder}/xml.so"))
        .add("php-gd", program(f"{folder}/gd.so"))
    )
    members = [
        *debian.layer,
        file("etc/php/8.2/mods-available/opcache.ini", b"; priority=10\nzend_extension=opcache.so\n"),
        file("etc/php/8.2/mods-available/mbstring.ini", b"extension = mbstring\n;extension=gd\n"),
        link("etc/php/8.2/cli/conf.d/20-mbstring.ini", "/etc/php/8.2/mods-available/mbstring.ini"),
    ]
    scene = scene_of(*members, Cmd=["php", "-d", "extension=xml"])
    kept = set(needed(scene, ["usr/bin/php8.2"], PhpClosure()).reasons)
    assert {f"{folder}/opcache.so", f"{folder}/mbstring.so", f"{folder}/xml.so"} <= kept
    assert "etc/php/8.2/cli/conf.d/20-mbstring.ini" in kept


def test_perl_keeps_the_packages_of_modules_that_are_named() -> None:
    base = "usr/lib/x86_64-linux-gnu/perl-base"
    debian = (
        Debian()
        .add("perl-base", program("usr/bin/perl"), file(f"{base}/Lone.pm", b"use File::Find;\n"))
        .add("perl-modules", file("usr/share/perl/5.36.0/File/Find.pm", b"require Text::Wrap;\n"))
        .add("libtext", file("usr/share/perl5/Text/Wrap.pm"), file("usr/share/perl5/Text/more.pl"))
        .add("libother", file("usr/share/perl5/Other.pm"))
    )
    app = file("srv/app", b"#!/usr/bin/perl\nuse strict;\n  use File::Find qw(find);\n", 0o755)
    kept = set(needed(scene_of(*debian.layer, app), ["usr/bin/perl"], PerlClosure()).reasons)
    assert {"usr/share/perl/5.36.0/File/Find.pm", "usr/share/perl5/Text/Wrap.pm"} <= kept
    assert "usr/share/perl5/Text/more.pl" in kept
    assert "usr/share/perl5/Other.pm" not in kept
    without_app = set(needed(scene_of(*debian.layer), ["usr/bin/perl"], PerlClosure()).reasons)
    assert "usr/share/perl/5.36.0/File/Find.pm" not in without_app
    without_perl = needed(scene_of(*debian.layer, app), [], PerlClosure()).reasons
    assert "usr/share/perl/5.36.0/File/Find.pm" not in without_perl


@pytest.mark.parametrize("runtime", known_runtimes(), ids=lambda runtime: runtime.name)
def test_each_known_runtime_stays_whole(runtime: Runtime) -> None:
    for pattern in runtime.programs:
        name = pattern.replace("[0-9]", "5").replace("*", "")
        for folder in runtime.folders:
            path = f"{folder.replace('[0-9]', '5').replace('*', 'x')}/deep/file"
            debian = Debian().add("runtime", program(f"usr/bin/{name}")).add("library", file(path))
            scene = scene_of(*debian.layer)
            evidence = needed(scene, [f"usr/bin/{name}"], RuntimesClosure())
            assert evidence.reasons[path].because.startswith(f"{runtime.name} stays whole")
            assert path not in needed(scene, [], RuntimesClosure()).reasons
