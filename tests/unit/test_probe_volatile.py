"""What rules see in texts, and what they excuse."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from deadweight.probe.volatile import normalise, reconcile, tokens, volatile_between
from deadweight.probe.volatile_rules import HEADER_RULES, RULES

AT = int(datetime(2026, 11, 24, 22, 25, 9, tzinfo=UTC).timestamp())


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("2026-11-24T22:25:09Z", "⟨time⟩Z"),
        ("2026-11-24T23:25:09.123456+01:00", "⟨time⟩+01:00"),
        ("2026-11-24 22:25:09,123 INFO x", "⟨time⟩ INFO x"),
        ("2026/11/24 22:25:09 [notice] 1#1: using epoll", "⟨time⟩ [notice] ⟨pid⟩: using epoll"),
        ("[24/Nov/2026:22:25:09 +0000]", "[⟨log time⟩ +0000]"),
        ("Tue, 24 Nov 2026 22:25:09 GMT", "⟨mail time⟩ GMT"),
        ("a.txt  24-Nov-2026 22:25  17", "a.txt  ⟨mail time⟩  17"),
        ("Tue Nov 24 22:25:09 2026", "⟨ctime⟩"),
        ("Tue Nov 24 22:25:09 UTC 2026", "⟨ctime UTC⟩"),
        ("Tue Nov 24 10:25:09 PM CET 2026", "⟨ctime CET⟩"),
        ("Nov 24 22:25:09 host sshd[812]: ok", "⟨syslog time⟩ host sshd[⟨pid⟩]: ok"),
        ("22:25:09.5", "⟨clock⟩"),
        ('{"t":1795559109,"ms":1795559109123,"f":1795559109.5}', '{"t":⟨epoch⟩,"ms":⟨epoch⟩,"f":⟨epoch⟩}'),
        ("id 550e8400-e29b-41d4-a716-446655440000", "id ⟨uuid⟩"),
        ("<object at 0x7f12a4567890>", "<object at ⟨address in memory⟩>"),
        ("trace 4bf92f3577b34da6a3ce929d0e0e4736", "trace ⟨hex id 32⟩"),
        ('nonce="q83Jx0aTqvB2L9Zk4TnD7w=="', 'nonce="⟨random word 24⟩"'),
        ("172.17.0.2:41234 and [fe80::1]:80", "⟨IPv4 address⟩ and ⟨IPv6 address⟩"),
        ("http://localhost:49153/", "http://localhost:⟨port⟩/"),
        ("took 12.3ms, 0.004s, 1m2.5s", "took ⟨duration⟩, ⟨duration⟩, ⟨duration⟩"),
        ("[2026-11-24 22:25:09 +0000] [7] [INFO] Booting", "[⟨time⟩ +0000] [⟨pid⟩] [INFO] Booting"),
        ("pid=7 pid: 8", "pid=⟨pid⟩ pid: ⟨pid⟩"),
        ("/tmp/tmpx81k_2/a", "/tmp/⟨temporary name⟩/a"),
        # What no rule knows.
        ('{"count": 144, "total": 0}', '{"count": 144, "total": 0}'),
        ("built 2024-01-02T03:04:05Z", "built 2024-01-02T03:04:05Z"),
        ("2026-11-24", "2026-11-24"),
        ("Mon Nov 24 22:25:09 2026", "Mon Nov 24 22:25:09 2026"),
        ("31/Feb/2026:22:25:09", "31/Feb/2026:22:25:09"),
        ("phone 4915112345", "phone 4915112345"),
        ("12345678901234567", "12345678901234567"),
        ("[144]", "[144]"),
        ("localhost:8080", "localhost:8080"),
        ("version 1.2.3", "version 1.2.3"),
        ("/tmp/a", "/tmp/a"),
        ("", ""),
    ],
)
def test_what_rules_see(text: str, shown: str) -> None:
    once = normalise(text, AT)
    assert once.text == shown
    assert normalise(shown, AT).text == shown
    assert sum(count for _, count in once.replaced) == shown.count("⟨")


def agree(expected: str, found: str, *repeats: str, later: int = 60, header: str = "") -> bool:
    """Whether `found`, recorded `later` by so many seconds, is as good as `expected`."""
    was = tokens(expected, AT, header)
    seen = frozenset[int]().union(
        *(volatile_between(was, tokens(other, AT + 30, header)) for other in repeats)
    )
    both = reconcile(was, tokens(found, AT + later, header), seen)
    return both.expected == both.found


def test_times_of_now_need_no_second_recording() -> None:
    assert agree("now 2026-11-24T22:25:09Z", "now 2026-11-24T22:26:08Z")
    assert agree("Tue Nov 24 23:25:09 CET 2026", "Wed Nov 25 01:25:09 CET 2026", later=7200)
    assert agree('{"t": 1795559109}', '{"t": 1795559170}')


@pytest.mark.parametrize(
    ("expected", "found"),
    [
        ("2026-11-24T23:25:09+01:00", "2026-11-24T23:25:10+00:00"),
        ("2026-11-24T23:25:09+01:00", "2026-11-24T22:25:10Z"),
        ("Tue Nov 24 23:25:09 CET 2026", "Tue Nov 24 22:25:10 UTC 2026"),
        ("Tue Nov 24 23:25:09 CET 2026", "Tue Nov 24 22:25:10 Europe 2026"),
        ("Tue Nov 24 23:25:09 CET 2026", "Tue Nov 24 22:25:10 CET 2026"),
        ("2026-11-24 23:25:09", "2026-11-24 22:25:10"),
        ("2026-11-25 03:55:09", "2026-11-25 04:10:10"),
        ("1795559109", "0"),
        ("1795559109", "1795469109"),
        ("built 2024-01-02T03:04:05Z", "built 2024-01-02T03:05:05Z"),
    ],
)
def test_another_zone_is_seen_even_where_none_is_written(expected: str, found: str) -> None:
    assert not agree(expected, found)
    assert not agree(expected, found, expected)


@pytest.mark.parametrize(
    ("expected", "again", "found"),
    [
        (
            "id 550e8400-e29b-41d4-a716-446655440000",
            "id 6ba7b810-9dad-41d1-80b4-00c04fd430c8",
            "id " + "0a1b2c3d-" * 1 + "9dad-41d1-80b4-00c04fd430c8",
        ),
        ("at 0x7f12a4567890", "at 0x7f12a4567000", "at 0x7f99a4567000"),
        ("took 0.8ms", "took 1.2s", "took 900us"),
        ("22:25:09", "22:25:39", "22:26:09"),
        ("sshd[12]: a", "sshd[13]: a", "sshd[144]: a"),
        ("127.0.0.1:40000", "127.0.0.1:40002", "127.0.0.1:40010"),
        ("open /tmp/tmpabcdef1", "open /tmp/tmpabcdef2", "open /tmp/tmpabcdef3"),
    ],
)
def test_other_tokens_change_only_where_the_original_changed(expected: str, again: str, found: str) -> None:
    assert agree(expected, found, again)
    assert agree(expected, found, expected, again)
    assert not agree(expected, found)
    assert not agree(expected, found, expected)
    assert not agree(expected, found + ".", again)
    assert not agree(expected, "", again)


def test_a_clock_that_changed_still_keeps_pace() -> None:
    assert not agree("22:25:09", "23:26:09", "22:25:39")
    assert agree("23:59:59", "00:00:59", "23:59:60", later=60)


def test_only_the_token_that_changed() -> None:
    first = "took 1ms, limit 30s"
    assert agree(first, "took 3ms, limit 30s", "took 2ms, limit 30s")
    assert not agree(first, "took 3ms, limit 0s", "took 2ms, limit 30s")


def test_nothing_is_learnt_where_ordinary_text_differs() -> None:
    first, second = (tokens(text, AT) for text in ("a 1ms", "b 2ms"))
    assert volatile_between(first, second) == frozenset()


def test_ids_keep_their_length() -> None:
    assert not agree("a" * 8 + "1" * 8, "b" * 8 + "1" * 9, "c" * 8 + "1" * 8)


def test_a_text_that_holds_a_mark_is_not_what_the_mark_stands_for() -> None:
    assert not agree(
        "id 550e8400-e29b-41d4-a716-446655440000", "id ⟨uuid⟩", "id 6ba7b810-9dad-41d1-80b4-00c04fd430c8"
    )


@pytest.mark.parametrize(
    ("header", "expected", "found"),
    [
        ("Date", "Tue, 24 Nov 2026 22:25:09 GMT", "Tue, 24 Nov 2026 22:26:09 GMT"),
        ("Expires", "Thu, 24 Dec 2026 22:25:09 GMT", "Thu, 24 Dec 2026 22:26:09 GMT"),
        ("Age", "0", "3"),
        ("X-Runtime", "0.0042", "0.01"),
        ("Server-Timing", "db;dur=5.3", "db;dur=17"),
    ],
)
def test_headers_that_always_change(header: str, expected: str, found: str) -> None:
    assert agree(expected, found, header=header)
    assert not agree(expected, "", header=header)
    assert not agree(expected, found + " x", header=header)


def test_cookies_keep_name_attributes_and_that_they_have_a_value() -> None:
    first, again = "sid=abc; Path=/; HttpOnly", "sid=def; Path=/; HttpOnly"
    assert agree(first, "sid=x; Path=/; HttpOnly", again, header="Set-Cookie")
    assert not agree(first, "sid=x; Path=/; HttpOnly", header="Set-Cookie")
    for broken in ("sid=; Path=/; HttpOnly", "sid=x; Path=/", "id=x; Path=/; HttpOnly"):
        assert not agree(first, broken, again, header="Set-Cookie")


def test_etags_change_only_where_the_original_changed() -> None:
    assert agree('"a-1"', '"c-1"', '"b-1"', header="ETag")
    assert not agree('"a-1"', '"c-1"', header="ETag")


def test_excused_changes_are_counted() -> None:
    both = reconcile(
        tokens("2026-11-24T22:25:09Z x", AT), tokens("2026-11-24T22:25:10Z x", AT + 1), frozenset()
    )
    assert both.excused == (("time", 1),)
    assert both.expected == "⟨time⟩Z x"


def test_rules_are_well_formed() -> None:
    for rule in (*RULES, *HEADER_RULES):
        assert rule.reason
        assert re.compile(rule.pattern).match("") is None
