"""Unused packages and what a config starts: no claim where it cannot be followed, and still the right one where it can."""

from __future__ import annotations

from typing import Any

import pytest

from deadweight.accounting.model import Analysis
from deadweight.accounting.shell import unnamed
from debian_by_hand import Debian, base, named, remarks_of
from layers_by_hand import Member, analysis_of, file, finding_of, link, program

TOOLS = {"tool", "libtool2"}
ENTRYPOINT = """set -e
log() { if [ -z "${QUIET:-}" ]; then echo "$@"; fi; }
if [ "$1" = web ] || [ "$1" = web-debug ]; then
    find /docker-entrypoint.d/ -type f -print | while read -r f; do
        case "$f" in
            bash|sh) log "no shell" ;;
            *.sh) if [ -x "$f" ]; then "$f"; fi ;;
        esac
    done
fi
if [ "$(id -u)" = 0 ]; then exec gosu app "$BASH_SOURCE" "$@"; fi
exec "$@"
"""


def script(text: str) -> Member:
    return file("start.sh", f"#!/bin/sh\n{text}\n".encode(), 0o755)


def debian() -> Debian:
    """`base` with what is essential, or a runner of other programs."""
    return (
        base()
        .add("bash", program("usr/bin/bash", "libc.so.6"), essential=True)
        .add("coreutils", program("usr/bin/env"), program("usr/bin/sleep"), essential=True)
        .add("login", program("usr/bin/su"), essential=True)
        .add("runners", program("usr/bin/tini"), program("usr/bin/gosu"), essential=True)
    )


def of_debian(*members: Member, **config: Any) -> Analysis:
    return debian().analysis(*members, link("bin", "usr/bin"), **config)


@pytest.mark.parametrize(
    ("config", "shell"),
    [
        ({"Entrypoint": ["tini", "--"], "Cmd": ["bash"]}, "bash"),
        ({"Entrypoint": ["/usr/bin/env", "bash"]}, "bash"),
        ({"Cmd": ["gosu", "app", "/bin/bash", "-l"]}, "/bin/bash"),
        ({"Cmd": ["sh", "-c", "exec bash"]}, "bash"),
        ({"Cmd": ["sh", "-c", "cd / && web & exec bash -c 'exec sh'"]}, "sh"),
        ({"Cmd": ["bash", "-c"] * 20 + ["web"]}, "bash"),
        ({"Cmd": ["su", "-", "app"]}, "su"),
        ({"Cmd": ["bash", "/not/there"]}, "bash"),
    ],
)
def test_no_claim_where_a_container_ends_in_a_shell(config: dict[str, Any], shell: str) -> None:
    analysis = of_debian(**config)
    assert named(analysis) == set()
    assert remarks_of(analysis) == [
        f"Unused packages: no claim; the config starts {shell}, which may start any program"
    ]


@pytest.mark.parametrize(
    ("text", "config"),
    [
        ('exec "$@"', {"Cmd": ["bash"]}),
        ('exec "$@"', {}),
        ('exec gosu app "$@"', {}),
        ('exec tini -g -- "${@}"', {}),
        ('exec sudo -u app "$@"', {}),
        ('exec bash "$@"', {}),
        ("web &\nexec /bin/bash", {}),
        ('case "$1" in\n  debug) exec bash ;;\nesac\nweb', {"Cmd": ["run"]}),
        ("web --fetch | sh", {}),
    ],
)
def test_no_claim_where_a_script_starts_a_shell_or_what_the_user_says(
    text: str, config: dict[str, Any]
) -> None:
    for entrypoint in (["/start.sh"], ["tini", "--", "/start.sh"], ["bash", "/start.sh"]):
        analysis = of_debian(script(text), Entrypoint=entrypoint, **config)
        assert named(analysis) == set()
        (remark,) = remarks_of(analysis)
        assert remark.startswith("Unused packages: no claim; the config starts ")
        assert remark.endswith(", which may start any program")


@pytest.mark.parametrize(
    "config",
    [
        {"Entrypoint": ["tini", "--"]},
        {"Entrypoint": ["env"]},
        {"Entrypoint": ["gosu", "app"]},
        {"Entrypoint": ["sh", "-c", 'exec "$@"', "--"]},
        {"Cmd": ["sh", "-c", "web --once; $COMMAND"]},
    ],
)
def test_no_claim_where_the_user_says_what_is_started(config: dict[str, Any]) -> None:
    analysis = of_debian(**config)
    assert named(analysis) == set()
    (remark,) = remarks_of(analysis)
    assert remark.endswith(", which may start any program")


@pytest.mark.parametrize(
    ("config", "evidence"),
    [
        ({"Cmd": ["/bin/sh", "-c", "exec missing"]}, "missing, which is not found in the image"),
        ({"Cmd": ["tini", "--", "/mnt/web"]}, "/mnt/web, which is not found in the image"),
        ({"Cmd": ["sleep", "infinity"]}, "sleep, which only waits for others to be started"),
        ({"Cmd": ["sh", "-c", "echo up; sleep 1d"]}, "sleep, which only waits for others to be started"),
        (
            {"Cmd": ["sh", "-c", "$X"], "Env": ["PATH=/bin", "X=secret"]},
            "what a variable names, which is not found in the image",
        ),
    ],
)
def test_it_names_what_cannot_be_followed_but_no_value_of_a_variable(
    config: dict[str, Any], evidence: str
) -> None:
    analysis = of_debian(**config)
    assert named(analysis) == set()
    assert remarks_of(analysis) == [f"Unused packages: no claim; the config starts {evidence}"]


@pytest.mark.parametrize("command", [["web"] * 300, ["web", "x" * 70_000]])
def test_a_very_long_command_is_not_followed(command: list[str]) -> None:
    analysis = of_debian(Cmd=command)
    assert remarks_of(analysis) == [
        "Unused packages: no claim; the command of the config is too long to be followed"
    ]


@pytest.mark.parametrize(
    ("text", "config"),
    [
        ("", {"Cmd": ["web", "-g", "daemon off;"]}),
        ("", {"Cmd": ["sh", "-c", "web -g 'daemon off;'"]}),
        ("", {"Cmd": ["sh", "-c", "web & sleep 1d"]}),
        ("", {"Cmd": ["su", "app", "-c", "web"]}),
        ("", {"Entrypoint": ["tini", "--"], "Cmd": ["web"]}),
        ("", {"Entrypoint": ["sh", "-c", 'exec "$@"', "--"], "Cmd": ["web"]}),
        ("", {"Cmd": ["sh", "-c", "exec $DAEMON -x"], "Env": ["PATH=/usr/sbin:/bin", "DAEMON=web"]}),
        ("", {"Cmd": ["web"], "Healthcheck": {"Test": ["CMD", "sh", "-c", "exit 0"]}}),
        (ENTRYPOINT, {"Entrypoint": ["/start.sh"], "Cmd": ["web", "-g", "daemon off;"]}),
        ('exec gosu "$USER" web "$@"', {"Entrypoint": ["/start.sh"]}),
        ('exec web "$@"', {"Entrypoint": ["bash", "/start.sh"]}),
        ('daemon=${DAEMON:-web}\nexec "$daemon"', {"Cmd": ["/start.sh"]}),
        ("exec $DAEMON -x", {"Cmd": ["/start.sh"], "Env": ["PATH=/usr/sbin:/bin", "DAEMON=web -y"]}),
        ('exec "${SBIN}"/web', {"Cmd": ["/start.sh"], "Env": ["PATH=/bin", "SBIN=/usr/sbin"]}),
    ],
)
def test_the_right_claim_still_comes(text: str, config: dict[str, Any]) -> None:
    members = [script(text)] if text else []
    assert named(of_debian(*members, **config)) == TOOLS


@pytest.mark.parametrize(
    ("text", "config"),
    [
        ("", {"Cmd": ["npm", "start"]}),
        ("", {"Cmd": ["/usr/sbin/sshd", "-D"]}),
        ("", {"Cmd": ["sh", "-c", "service ssh start && sleep 1d"]}),
        (
            "",
            {"Cmd": ["sh", "-c", "exec $HOME_J/bin/java -jar x"], "Env": ["PATH=/bin", "HOME_J=/usr/lib/j"]},
        ),
        ("", {"Cmd": ["sh", "-c", "R --no-save"]}),
        ("exec R", {"Cmd": ["/start.sh"]}),
        ('"${HOME_J}"/bin/java x', {"Cmd": ["/start.sh"], "Env": ["PATH=/bin", "HOME_J=/usr/lib/j"]}),
        ("web\n$FROM_OUTSIDE --now", {"Cmd": ["/start.sh"]}),
        ("exec ${RUNNER:-npm} start", {"Cmd": ["/start.sh"]}),
    ],
)
def test_programs_that_start_what_their_files_say_leave_no_claim(text: str, config: dict[str, Any]) -> None:
    image = (
        debian()
        .add(
            "npm",
            file("usr/share/npm/cli.js", b"#!/usr/bin/env node\n"),
            link("usr/bin/npm", "../share/npm/cli.js"),
        )
        .add("node", program("usr/bin/node"))
        .add("ssh", program("usr/sbin/sshd"))
        .add("services", file("usr/sbin/service", b"#!/bin/sh\n", 0o755))
        .add("java", program("usr/lib/j/bin/java"))
        .add("r", program("usr/bin/R"))
    )
    members = [script(text)] if text else []
    analysis = image.analysis(*members, link("bin", "usr/bin"), **config)
    assert named(analysis) == set()
    (remark,) = remarks_of(analysis)
    assert "only development packages could be named" in remark


@pytest.mark.parametrize(
    ("config", "found"),
    [
        ({"Cmd": ["crond", "-f"]}, set()),
        ({"Entrypoint": ["tini", "--"], "Cmd": ["crond", "-f"]}, set()),
        ({"Cmd": ["tini", "--", "busybox", "sh"]}, set()),
        ({"Cmd": ["/bin/busybox", "sh"]}, set()),
        ({"Cmd": ["httpd", "-f"]}, {"apk:curl", "apk:tini"}),
        ({"Cmd": ["busybox", "httpd", "-f"]}, {"apk:curl", "apk:tini"}),
    ],
)
def test_a_program_of_many_names_is_what_it_is_called(config: dict[str, Any], found: set[str]) -> None:
    names = (("busybox", "bin"), ("tini", "sbin"), ("curl", "usr/bin"))
    database = "".join(f"P:{name}\nV:1\nA:x86_64\nF:{folder}\nR:{name}\n\n" for name, folder in names)
    analysis = analysis_of(
        [
            file("lib/apk/db/installed", database.encode()),
            program("bin/busybox"),
            program("sbin/tini"),
            program("usr/bin/curl", size=9),
            *(link(path, "/bin/busybox") for path in ("bin/sh", "usr/sbin/crond", "usr/sbin/httpd")),
        ],
        **config,
    )
    causes = [
        cause for finding in analysis.findings if finding.id == "unused-packages" for cause in finding.causes
    ]
    assert {cause.package for cause in causes} == found


def notice(name: str) -> tuple[Member, ...]:
    return file(f"usr/share/doc/{name}/copyright", 9), file(f"usr/share/doc/{name}/changelog.gz", 9)


def test_a_metapackage_is_not_named_where_what_it_stands_for_is_reached() -> None:
    image = base().add("web-all", *notice("web-all"), depends="web-default").add("web-default", depends="web")
    assert named(image.analysis(Entrypoint=["/usr/sbin/web"])) == TOOLS


def test_a_metapackage_is_named_with_what_it_stands_for_and_counted_where_it_has_bytes() -> None:
    image = (
        base()
        .add("tool-all", *notice("tool-all"), depends="tool-default")
        .add("tool-default", depends="tool")
    )
    analysis = image.analysis(Entrypoint=["/usr/sbin/web"])
    assert named(analysis) == {*TOOLS, "tool-all"}
    assert "Named are 3 that are not" in finding_of(analysis, "unused-packages").reason


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("exec bash", {"bash"}),
        ("exec \\\n  bash -i", {"bash"}),
        ("curl x | bash -s -- y", {"bash"}),
        ("sh -c 'cd /; exec zsh'", {"zsh"}),
        ("A=$B bash", {"bash"}),
        ("exec bash x.sh", set()),
        ("apt-get install bash; echo bash; # bash", set()),
        ("case $1 in\n bash|sh) web;;\nesac", set()),
        ("$CMD $X", {"$CMD"}),
        ("if $CMD; then env A=b nice -n 5 $OTHER; fi", {"$CMD", "$OTHER"}),
        ("CMD=x; $CMD", set()),
        ("for c in a b; do $c; done", set()),
        ("x | while read -r a c; do $c; done", set()),
        ('shift $(($OPTIND - 1)); exec "$0" "$@"', set()),
        ('su-exec app "$@"', {"$@"}),
        ('set -- web "$@"; web "$@"', set()),
    ],
)
def test_what_a_script_starts_without_naming_it(text: str, found: set[str]) -> None:
    assert unnamed(text) == found
