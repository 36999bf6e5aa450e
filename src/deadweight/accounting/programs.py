"""Which programs an image starts, as far as its config and its files say."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from deadweight.oci.config import Execution
from deadweight.tree.node import LinkLoop, Node, Tree

DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""What runtimes set where the config sets no PATH."""
SHELLS = frozenset(
    {"sh", "bash", "rbash", "dash", "ash", "hush", "busybox", "toybox", "zsh", "ksh", "ksh93", "mksh", "oksh"}
    | {"posh", "yash", "fish", "csh", "tcsh", "elvish", "nu", "xonsh", "pwsh"}
)
_RUNS_CODE = re.compile(
    # Interpreters, and what loads or starts code that is written for them,
    r"(?:python|pypy|node|nodejs|deno|bun|ruby|jruby|perl|php|php-fpm|php-cgi|lua|luajit|tclsh|wish|expect|guile|java|jshell"
    r"|groovy|scala|kotlin|clojure|erl|elixir|iex|beam\.smp|Rscript|R|julia|octave|dotnet|mono|uwsgi|awk|gawk|mawk"
    r"|npm|npx|yarn|pnpm|nodemon|pm2|pm2-runtime|uv|uvx|poetry|pipenv|gunicorn|uvicorn|hypercorn|daphne|celery|flask"
    r"|django-admin|twistd|jupyter(?:-[a-z]+)?|pytest|ansible(?:-[a-z]+)?|puma|unicorn|rackup|rails|rake|bundle|mvn|gradle|ant"
    # supervisors and what else has the names of programs in its files,
    r"|systemd|systemctl|init|openrc|openrc-init|rc-service|service|invoke-rc\.d|run-parts|runsvdir|runsvdir-start|runsv|runit"
    r"|runit-init|my_init|s6-svscan|s6-rc|s6-overlay|svscan|supervisord|circusd|monit|dinit|cron|crond|anacron|supercronic|atd"
    r"|inetd|xinetd|dbus-daemon|fcgiwrap|foreman|honcho|overmind|hivemind|goreman|make"
    # and what gives a shell to whoever connects.
    r"|sshd|dropbear|telnetd|ttyd|gotty|shellinaboxd|tmux|screen|code-server|gitlab-runner)"
    r"[0-9.]*(?:-[0-9.]+)?"
)


def runs_any_code(name: str) -> bool:
    """Whether what the program `name` starts is up to the files that it reads, or to who uses it: interpreters, supervisors."""
    return _RUNS_CODE.fullmatch(name) is not None


def search_path(execution: Execution) -> list[str]:
    """The directories of the config's PATH."""
    return [part for part in execution.environment().get("PATH", DEFAULT_PATH).split(":") if part]


def find_program(tree: Tree, name: str, path: Sequence[str], working_dir: str = "/") -> Node | None:
    """The file that starting `name` would start: through `path` unless it has a slash. None where there is none."""
    if "/" in name:
        places = [name if name.startswith("/") else f"{working_dir}/{name}"]
    else:
        places = [f"{directory}/{name}" for directory in path]
    for place in places:
        try:
            node = tree.resolve(place)
        except LinkLoop:
            continue
        if node is not None and node.is_file:
            return node
    return None


def started(execution: Execution) -> Iterator[Sequence[str]]:
    """The commands that the config starts: entrypoint with command, and the health check."""
    command = [*execution.entrypoint, *execution.cmd]
    if command:
        yield command
    check = list(execution.healthcheck)
    if check[:1] == ["CMD"]:
        yield check[1:]
    elif check[:1] == ["CMD-SHELL"]:
        yield [*(execution.shell or ("/bin/sh", "-c")), *check[1:]]


def command_words(execution: Execution) -> frozenset[str]:
    """The base names of all words in the commands of the config."""
    return frozenset(
        word.rpartition("/")[2]
        for command in started(execution)
        for part in command
        for word in re.split(r"[\s;&|()\"']+", part)
    )
