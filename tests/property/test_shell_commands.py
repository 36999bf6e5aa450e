"""The commands of shell scripts that were put together from plain parts, and of any text at all."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from deadweight.evidence.closure.node_names import imported, quoted
from deadweight.evidence.closure.shell_commands import Kind, uses
from deadweight.evidence.closure.shell_text import MAX_TEXT, parse

Script = tuple[str, frozenset[str]]
"""A text, and the names of what it starts."""

NAMES = st.sampled_from(("alpha", "beta-2", "gamma_x", "/opt/delta", "epsilon.sh", "g++"))
WORDS = st.sampled_from(
    (
        "a",
        "-x",
        "--long=1",
        "'two words'",
        '"$v"',
        "$v",
        ">/tmp/x",
        "2>&1",
        "*.c",
        "\\;",
        "~",
        "{a,b}",
        "a#no",
    )
)


BEFORE = ("", "V=1 ", "exec ", "nohup ", "env A=b ", "command ", "timeout -k 1 5 nice ")
"""What may come before a simple command."""


def simple() -> st.SearchStrategy[Script]:
    return st.builds(
        lambda before, name, words: (before + " ".join([name, *words]), frozenset({name})),
        st.sampled_from(BEFORE),
        NAMES,
        st.lists(WORDS, max_size=3),
    )


def around(template: str) -> Callable[[Script], Script]:
    return lambda script: (template.replace("@", script[0]), script[1])


def joined(separator: str) -> Callable[[Script, Script], Script]:
    return lambda one, other: (f"{one[0]}{separator}{other[0]}", one[1] | other[1])


AROUND = (
    "( @ )", "{ @; }", "if @; then :; fi", "if :; then @; else :; fi", "while @; do break; done", "for v in 1 2; do @; done",
    "case $v in a|b) @;; esac", "f() { @; }", "x=$( @ )", 'echo "$( @ )"', "cat <( @ )", "! @",
    "cat <<END\n$( @ )\nEND\n",
)  # fmt: skip
BETWEEN = ("; ", "\n", " && ", " || ", " | ", " &\n", "\n# it's a comment (\n")
OWN = frozenset({":", "echo", "cat", "break", "nohup", "env", "timeout", "nice"}) | {
    "}",
    "fi",
    "done",
    "esac",
}
"""What the templates start; and words that the parser may take for commands, which no program is called by."""

SCRIPTS = st.recursive(
    simple(),
    lambda inner: st.one_of(
        st.builds(lambda template, script: around(template)(script), st.sampled_from(AROUND), inner),
        st.builds(
            lambda between, one, other: joined(between)(one, other), st.sampled_from(BETWEEN), inner, inner
        ),
    ),
    max_leaves=8,
)


def started(text: str) -> set[str]:
    return {
        use.value
        for command in parse(text).commands
        for use in uses(command)
        if use.kind in (Kind.PROGRAM, Kind.BUILTIN_OR_PROGRAM)
    }


@given(SCRIPTS)
def test_each_command_is_found_wherever_it_stands(script: Script) -> None:
    text, names = script
    found = parse(text)
    if found.broken:
        return  # every word of it counts then
    assert names <= started(text)
    assert started(text) - names <= OWN


@given(SCRIPTS, st.sampled_from(("sh -c '@'", "eval '@'", "trap '@' EXIT", "su -c '@'", "bash -ec '@' name")))
def test_texts_for_shells_are_found_whole(script: Script, template: str) -> None:
    text = script[0].replace("'", "")
    found = [use.value for command in parse(template.replace("@", text)).commands for use in uses(command)]
    assert text in found


@given(st.one_of(st.text(), st.text(alphabet="$(){}[]<>|&;'\"`\\#=ab \n-")))
def test_any_text_is_read_and_gives_the_same_twice(text: str) -> None:
    found = parse(text)
    assert found == parse(text)
    assert len(text.encode("utf-8", "surrogateescape")) <= MAX_TEXT
    for command in found.commands:
        list(uses(command))


@given(
    st.lists(st.sampled_from(("a", "b-c", "@s/d", "e.f")), max_size=6),
    st.sampled_from("'\"`"),
    st.text("'\"` x/\n"),
)
def test_names_in_quotes_are_found_wherever_they_stand(names: list[str], quote: str, between: str) -> None:
    """In a text of quotes, words and slashes too: no quote that is left open hides a name behind it."""
    text = f" {between} ".join(f"require({quote}{name}{quote})" for name in names)
    assert set(names) <= set(quoted(text)) | set(imported(text))
    assert set(imported(text)) == set(names)
