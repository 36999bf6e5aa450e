"""Replacing twice changes nothing; what no rule covers still differs; an answer is like itself, and comes back."""

from __future__ import annotations

import re

from hypothesis import assume, given
from hypothesis import strategies as st

from deadweight.oci import strict_json
from deadweight.probe.compare import compare
from deadweight.probe.observation import (
    ExitAnswer,
    Failure,
    HttpAnswer,
    Observation,
    TcpAnswer,
    from_json,
    to_json,
)
from deadweight.probe.volatile import normalise, reconcile, tokens, volatile_between
from deadweight.probe.volatile_rules import HEADER_RULES, RULES

AT = 1795559109
VOLATILE = st.sampled_from(
    [
        "2026-11-24T22:25:09.123+01:00",
        "24/Nov/2026:22:25:09",
        "Tue, 24 Nov 2026 22:25:09 GMT",
        "Tue Nov 24 22:25:09 UTC 2026",
        "Nov 24 22:25:09",
        "2026-11-24 22:25",
        "22:25:09",
        "1795559109",
        "1795559109123.5",
        "550e8400-e29b-41d4-a716-446655440000",
        "0x7f12a4567890",
        "abcdef0123456789",
        "q83Jx0aTqvB2L9Zk4TnD7w==",
        "127.0.0.1:41234",
        "[fe80::1]:80",
        "localhost:49153",
        "12.3ms",
        "3 seconds",
        "sshd[12]: ",
        "] [7] [INFO]",
        "1#1: ",
        "pid=12",
        "/tmp/tmpabc_1.x",
        "⟨time⟩",
    ]
) | st.sampled_from([rule.name for rule in RULES])
FRAGMENTS = st.text('0123456789abcdefTZxm[]:./-+#= ,"\n⟨⟩é', max_size=6)
TEXTS = st.lists(VOLATILE | FRAGMENTS | st.text(max_size=5), max_size=8).map("".join)
# What no rule knows: words, and short numbers that nothing of a time, an address or a unit stands next to.
WORDS = st.from_regex(r"[a-zA-Z]{1,12}", fullmatch=True) | st.integers(0, 99_999).map(str)
SENTENCES = st.lists(WORDS, min_size=1, max_size=8)

TOKENS = st.text("!#$-.^_abcXYZ019", min_size=1, max_size=8)
VALUES = st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=20)
NAMES = (
    st.sampled_from(sorted({"Connection", *(name for rule in HEADER_RULES for name in rule.headers)}))
    | TOKENS
)
TIMES = st.integers(0, 1 << 33)
BYTES = st.binary(max_size=40) | TEXTS.map(str.encode)
OBSERVATIONS: st.SearchStrategy[Observation] = st.one_of(
    st.builds(
        HttpAnswer,
        st.integers(100, 599),
        VALUES,
        st.lists(st.tuples(NAMES, VALUES | VOLATILE), max_size=5).map(tuple),
        BYTES,
        st.booleans(),
        TIMES,
    ),
    st.builds(ExitAnswer, st.integers(-64, 255), BYTES, BYTES, st.booleans(), TIMES),
    st.builds(TcpAnswer, st.booleans(), BYTES, TIMES),
    st.builds(Failure, VALUES, TIMES),
)


@given(TEXTS)
def test_replacing_twice_changes_nothing(text: str) -> None:
    once = normalise(text, AT)
    assert normalise(once.text, AT) == type(once)(once.text, ())


@given(TEXTS, TIMES, st.sampled_from(["", "date", "set-cookie", "etag", "age"]))
def test_tokens_are_the_text(text: str, at: int, header: str) -> None:
    found = tokens(text, at, header)
    assert "".join(token.text for token in found) == text
    assert all(token.text for token in found)


@given(SENTENCES, SENTENCES, st.sampled_from([", ", "\n", "; ", '", "']))
def test_what_no_rule_covers_still_differs(first: list[str], second: list[str], between: str) -> None:
    one, two = (between.join(words) for words in (first, second))
    assume(one != two)
    assert normalise(one, AT).text == one
    assert normalise(one, AT).text != normalise(two, AT).text


@given(TEXTS, TEXTS, SENTENCES, SENTENCES)
def test_ordinary_words_differ_among_tokens_that_change(
    before: str, after: str, first: list[str], second: list[str]
) -> None:
    one, two = (f"{before}\n<{'; '.join(words)}>\n{after}" for words in (first, second))
    assume(one != two)
    was, now = tokens(one, AT), tokens(two, AT + 5)
    both = reconcile(was, now, frozenset(range(len(was))))
    assert both.expected != both.found


@given(TEXTS, TEXTS)
def test_nothing_is_excused_but_tokens_of_one_rule(one: str, two: str) -> None:
    first, second = tokens(one, AT), tokens(two, AT)
    both = reconcile(first, second, volatile_between(first, second))
    if both.expected == both.found:
        outside = [[token.rule or token.text for token in found] for found in (first, second)]
        assert outside[0] == outside[1]
    if one == two:
        assert both.expected == both.found == one


@given(OBSERVATIONS, st.lists(OBSERVATIONS, max_size=2))
def test_an_answer_is_like_itself(answer: Observation, repeats: list[Observation]) -> None:
    assert compare(answer, answer, repeats) == ()


@given(OBSERVATIONS, OBSERVATIONS)
def test_whatever_differs_can_be_shown(one: Observation, two: Observation) -> None:
    for difference in compare(one, two, [two]):
        assert difference.what
        assert not re.search(
            r"[\x00-\x1f\x7f]", "".join((difference.expected, difference.found)).replace("\t", "")
        )


@given(OBSERVATIONS)
def test_evidence_comes_back(answer: Observation) -> None:
    raw = strict_json.canonical(to_json(answer))
    assert from_json(strict_json.loads(raw, "x"), "x") == answer
