"""What configs and scripts start, read and name."""

from __future__ import annotations

from typing import Any

import pytest

from deadweight.evidence.closure.script_places import known_places
from deadweight.evidence.closure.script_programs import known_starts
from deadweight.evidence.closure.scripts import ScriptsClosure
from deadweight.evidence.closure.shell_text import MAX_VALUES, MAX_WORDS, parse
from deadweight.evidence.model import Evidence
from debian_by_hand import Debian
from layers_by_hand import Member, file, link, program
from scenes import needed, scene_of

TOOLS = (
    "sh",
    "bash",
    "env",
    "tool",
    "other",
    "third",
    "xargs",
    "find",
    "nohup",
    "timeout",
    "su",
    "tar",
    "gzip",
    "sleep",
)


def system() -> Debian:
    """One package for each of `TOOLS`."""
    debian = Debian()
    for name in TOOLS:
        debian.add(name, program(f"usr/bin/{name}"))
    return debian.add("awk", file("usr/bin/awk", b"#!/usr/bin/env sh\nthird\n", 0o755))


def script(text: str, path: str = "srv/run", first: str = "#!/bin/sh\n") -> Member:
    return file(path, (first + text).encode("utf-8", "surrogateescape"), 0o755)


def follow(
    *members: Member, debian: Debian | None = None, roots: tuple[str, ...] = (), **config: Any
) -> Evidence:
    """What is needed in an image of `debian`, else `system`, and `members`, which no package owns."""
    layer = [*(debian or system()).layer, link("bin", "usr/bin"), *members]
    return needed(scene_of(*layer, **config), roots, ScriptsClosure())


def started(text: str, *members: Member) -> set[str]:
    """The names of the programs that a script with `text` needs beyond its own shell."""
    evidence = follow(script(text), *members)
    found = {path.rpartition("/")[2] for path in evidence.reasons if path.startswith("usr/bin/")}
    return found - {"sh"}


@pytest.mark.parametrize(
    ("text", "programs"),
    [
        ("tool --help", {"tool"}),
        ("/usr/bin/tool | other > /tmp/x && sh -c 'third; echo x'", {"tool", "other", "third"}),
        ("x=$(tool); y=`other`", {"tool", "other"}),
        ("NAME=tool\n$NAME --now", {"tool"}),
        ("${PAGER:-tool} x", {"tool"}),
        ("for one in tool other; do $one; done", {"tool", "other"}),
        ("command -v tool >/dev/null && echo found", {"tool"}),
        ("if which tool; then :; fi", {"which", "tool"} - {"which"}),
        ("trap 'tool x' EXIT; eval \"other $x\"", {"tool", "other"}),
        ("sh <<END\ntool\nEND", {"tool"}),
        ("cat <<'END' | sh\ntool\nEND", {"tool"}),
        ("nohup timeout -k 3 5 tool &", {"nohup", "timeout", "tool"}),
        ("env -i A=b tool; env -S 'other x'", {"env", "tool", "other"}),
        ("su - nobody -s /bin/sh -c 'tool'", {"su", "tool"}),
        ("find . -name x -exec tool {} +", {"find", "tool"}),
        ("find . | xargs -n 1 tool", {"find", "xargs", "tool"}),
        ("set -- tool \"$@\"\nexec \"$@\"", {"tool"}),
        ("run() { \"$@\"; }\nrun tool", {"tool"}),
        ("commands=(tool -x)\n\"${commands[@]}\"", {"tool"}),
        ("case $1 in a) tool;; *) other;; esac", {"tool", "other"}),
        ("cat <(tool)", {"tool"}),
        ("tar -I tool -cf x .; awk 1", {"tar", "tool", "gzip", "awk", "env", "third"}),
        ("exec \"$@\"", set()),
        ("echo tool; printf other; [ -n third ]; tool() { :; }; tool", set()),
        ("# tool\n: other", set()),
        ("rm -f /usr/bin/tool", set()),
    ],
)  # fmt: skip
def test_commands_of_shell_scripts(text: str, programs: set[str]) -> None:
    assert started(text) == programs


def test_files_that_a_shell_reads_lie_beside_the_script_or_in_path() -> None:
    debian = system().add(
        "web",
        script(
            '. "$(dirname "$0")/part.sh"\nDIR=$(cd "${0%/*}" && pwd)\n. $DIR/more\n. /etc/$x.d/*.sh',
            "usr/bin/web",
        ),
        file("usr/bin/part.sh", b"tool"),
        file("usr/bin/more", b"other"),
        file("usr/bin/unrelated", b"third"),
    )
    kept = follow(debian=debian, roots=("/usr/bin/web",)).reasons
    assert {"usr/bin/part.sh", "usr/bin/more", "usr/bin/tool", "usr/bin/other"} <= set(kept)
    assert not {"usr/bin/unrelated", "usr/bin/third"} & set(kept)
    assert kept["usr/bin/part.sh"].rule == "script-source"


def test_a_library_that_was_followed_before_it_was_sourced() -> None:
    """What no package owns is needed first of all; that it is a text for a shell is known only later."""
    assert started(". /srv/a.inc", file("srv/a.inc", b"tool\n")) == {"tool"}


def test_what_the_config_starts_and_names() -> None:
    config: dict[str, Any] = {
        "Entrypoint": ["/srv/start", "tool"],
        "Healthcheck": {"Test": ["CMD-SHELL", "other || exit 1"]},
        "Env": ["PATH=/usr/bin", "SETTINGS=/usr/share/web/settings:/nowhere"],
        "WorkingDir": "/usr/share/web",
        "Cmd": ["data.txt"],
    }
    debian = system().add("web", file("usr/share/web/settings"), file("usr/share/web/data.txt"))
    kept = follow(script('exec "$@"', "srv/start"), debian=debian, **config).reasons
    assert {"usr/bin/tool", "usr/bin/other", "usr/share/web/settings", "usr/share/web/data.txt"} <= set(kept)
    assert kept["usr/share/web/settings"].rule == "config-variable"


def test_interpreters_behind_env_and_scripts_without_a_first_line() -> None:
    assert started("", script("", "srv/a", first="#!/usr/bin/env -S tool --x\n")) == {"env", "tool"}
    assert started("/srv/plain", file("srv/plain", b"tool\n", 0o755)) == {"tool"}


def test_scripts_of_packages_stay_only_if_reached() -> None:
    debian = system().add(
        "web",
        program("usr/bin/web"),
        script("tool", "usr/bin/web-admin"),
        script("other", "etc/init.d/web"),
        file("etc/cron.d/web", b"1 2 * * * root third\n"),
    )
    kept = set(follow(debian=debian, roots=("usr/bin/web",)).reasons)
    assert (
        not {"usr/bin/web-admin", "etc/init.d/web", "etc/cron.d/web", "usr/bin/tool", "usr/bin/other"} & kept
    )
    assert {"etc/init.d/web", "usr/bin/other"} <= set(
        follow(script("service web start"), debian=debian).reasons
    )


def test_what_cron_starts_is_needed_where_cron_is() -> None:
    debian = system().add(
        "cron", program("usr/sbin/cron"), file("etc/cron.d/job", b"# x\nA=b\n@daily root tool -x\n")
    )
    kept = follow(debian=debian, Entrypoint=["cron", "-f"]).reasons
    assert kept["etc/cron.d/job"].rule == "place-of-program"
    assert kept["usr/bin/tool"].source == "etc/cron.d/job"


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("var/spool/cron/crontabs/root", "*/5 * * * * tool -x\n"),
        ("etc/crontab", "17 * * * * root tool\n"),
        ("etc/supervisor/supervisord.conf", "[program:x]\ncommand = tool --x\n"),
        ("etc/systemd/system/x.service", "[Service]\nExecStart=-tool\n"),
        ("etc/logrotate.d/x", "/var/log/x {\n postrotate\n  tool\n endscript\n}\n"),
        ("srv/Procfile", "web: tool $PORT\n"),
        ("etc/inittab", "::respawn:tool\n"),
    ],
)
def test_texts_that_hold_commands(path: str, text: str) -> None:
    assert started("", file(path, text.encode())) == {"tool"}


def test_every_word_counts_where_a_script_is_broken() -> None:
    evidence = follow(script("if then fi ((\ncase tool"))
    assert "usr/bin/tool" in evidence.reasons
    assert evidence.problems == ("run: is not all shell text, so that every word of it counts as a command",)


def test_a_script_that_is_too_large_is_a_problem() -> None:
    (problem,) = follow(script("#" * (1 << 19))).problems
    assert problem.startswith("srv/run: is larger than ")


@pytest.mark.parametrize(
    "text",
    [
        "a=x1\n" + "".join(f"a=x{number}\n" for number in range(100)) + "b=$a$a\n" + "$b $b $b\n" * 2000,
        "a=(" + "b " * 1000 + ')\n"${a[@]}" x ' + '"${a[@]}" ' * 1000,
        "tool " + "x " * 5000,
    ],
)
def test_what_a_script_may_be_at_once_is_bounded(text: str) -> None:
    found = parse(text)
    assert found.broken
    assert all(len(word) <= MAX_VALUES for command in found.commands for word in command.words)
    assert all(len(command.words) <= MAX_WORDS + MAX_VALUES for command in found.commands)


def test_texts_in_a_script_are_read_once_and_not_without_end() -> None:
    values = "".join(f"a='echo {number} {'y' * 3800}'\n" for number in range(60))
    assert follow(script(values + 'eval "$a 1"\n' * 100)).problems == ()
    evidence = follow(script(values + "".join(f'eval "$a {number}"\n' for number in range(6))))
    assert evidence.problems == ("run: has more than 1048576 bytes of texts for shells in it",)


def test_knowledge_of_places_and_programs_is_whole() -> None:
    paths = [path for place in known_places() for path in place.paths]
    assert len(set(paths)) == len(paths)
    assert all(place.because and not path.startswith("/") for place in known_places() for path in place.paths)
    assert all(start.programs and start.because for starts in known_starts().values() for start in starts)


@pytest.mark.parametrize("place", known_places(), ids=lambda place: place.paths[0])
def test_each_place_is_kept_with_its_readers_and_left_without(place: object) -> None:
    (known,) = [one for one in known_places() if one is place]
    path = known.paths[0].replace("*/", "usr/lib/x/") + ("file" if known.paths[0].endswith("/") else "")
    for reader in known.readers or ("tool",):
        debian = (
            Debian()
            .add("owner", program("usr/bin/owner"), file(path))
            .add("reader", program(f"usr/sbin/{reader}"))
        )
        assert path not in follow(debian=debian, roots=("usr/bin/owner",)).reasons
        with_reader = follow(debian=debian, roots=("usr/bin/owner", f"usr/sbin/{reader}")).reasons
        assert (path in with_reader) == bool(known.readers)


@pytest.mark.parametrize("by", sorted(known_starts()))
def test_each_program_comes_with_what_it_starts(by: str) -> None:
    for start in known_starts()[by]:
        for name in start.programs:
            if name in TOOLS or name == by:
                continue
            debian = system().add("by", program(f"usr/sbin/{by}")).add("named", program(f"usr/sbin/{name}"))
            assert f"usr/sbin/{name}" in follow(debian=debian, roots=(f"usr/sbin/{by}",)).reasons
