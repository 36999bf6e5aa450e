"""Recordings as JSON, what counts in a proof, and the signals of configs."""

from __future__ import annotations

import io
import json
import signal

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import ROOT
from deadweight.errors import InvalidDocument, LimitExceeded, UsageError
from deadweight.oci.config import Execution
from deadweight.probe.observation import MAX_RECORDED, ExitAnswer, Failure, HttpAnswer, Observation, TcpAnswer
from deadweight.probe.proof import ProbeResult, judge
from deadweight.probe.record import answered, signal_name, stop_signal
from deadweight.probe.recording import Answer, Recording, read_recordings, write_recordings
from deadweight.report.console import open_console
from deadweight.report.probes import (
    Proved,
    is_answer,
    print_recordings,
    print_results,
    recordings_report,
    results_report,
)

BYTES = st.binary(max_size=40)
MOMENTS = st.integers(0, 1 << 40)
LATIN = st.text(st.characters(max_codepoint=255), max_size=10)
NAMES = st.text("abcABC-", min_size=1, max_size=10)
OBSERVATIONS: st.SearchStrategy[Observation] = st.one_of(
    st.builds(
        HttpAnswer, st.integers(100, 999), LATIN, st.lists(st.tuples(NAMES, LATIN)).map(tuple), BYTES, st.booleans(), MOMENTS
    ),
    st.builds(ExitAnswer, st.integers(-64, 255), BYTES, BYTES, st.booleans(), MOMENTS),
    st.builds(TcpAnswer, st.booleans(), BYTES, MOMENTS),
    st.builds(Failure, LATIN, MOMENTS),
)  # fmt: skip
RECORDINGS = st.lists(
    st.builds(
        Recording,
        NAMES,
        st.lists(st.builds(Answer, LATIN, OBSERVATIONS, st.booleans()), max_size=4).map(tuple),
        st.booleans(),
    ),
    max_size=3,
)


def schema(name: str) -> jsonschema.Draft202012Validator:
    loaded = json.loads((ROOT / "docs" / "schema" / name).read_text())
    jsonschema.Draft202012Validator.check_schema(loaded)
    return jsonschema.Draft202012Validator(loaded)


@settings(deadline=None)
@given(RECORDINGS)
def test_what_is_written_is_read(recordings: list[Recording]) -> None:
    text = write_recordings("oci:app", recordings)
    schema("recordings-v1.json").validate(json.loads(text))
    assert read_recordings(text.encode(), "saved.json") == tuple(recordings)


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", "{}", '{"schema_version": 2}', '{"schema_version": 1, "recordings": 3}',
        '{"schema_version": 1, "recordings": [{}]}',
        '{"schema_version": 1, "recordings": [{"ends": false, "answers": [{"asked": true, "observation": {}}]}]}',
        '{"schema_version": 1, "recordings": [{"ends": false, "answers": [{"observation": {"kind": "failure", "at": 1}}]}]}',
    ],
)  # fmt: skip
def test_what_is_no_recording(text: str) -> None:
    with pytest.raises(InvalidDocument, match=r"saved\.json"):
        read_recordings(text.encode(), "saved.json")


def test_what_could_not_be_read_again_is_not_written() -> None:
    large = Answer("exec:x", ExitAnswer(0, b"x" * MAX_RECORDED, b""))
    with pytest.raises(LimitExceeded):
        write_recordings("oci:app", [Recording("default", (large,) * 20)])


def recording(*answers: Observation, asked: bool = True, ends: bool = False) -> Recording:
    named = tuple(Answer(f"exec:{number}", one, asked) for number, one in enumerate(answers))
    return Recording("default", named, ends)


def said(text: str, code: int = 0, at: int = 1_700_000_000) -> ExitAnswer:
    return ExitAnswer(code, text.encode(), b"", at=at)


def test_only_what_the_original_does_twice_counts() -> None:
    first = recording(said("a"), said("b"), said("c"), Failure("refused"))
    second = recording(said("a"), said("x"), said("c"), said("d"))
    results = judge(first, second, recording(said("a"), said("b"), said("z"), said("d")))
    assert [(one.probe, one.passed) for one in results] == [("exec:0", True), ("exec:2", False)]


def test_a_result_that_ends_by_itself_is_another() -> None:
    first = recording(said("a"))
    (result,) = judge(first, first, recording(said("a"), ends=True))
    assert (result.probe, result.passed) == ("ready:", False)
    (result,) = judge(first, first, recording())
    assert not result.passed


def test_an_answer_of_who_is_well() -> None:
    well: list[Observation] = [said(""), HttpAnswer(404, "", (), b""), TcpAnswer(True)]
    ill: list[Observation] = [said("", 1), HttpAnswer(503, "", (), b""), TcpAnswer(False), Failure("x")]
    assert [answered(one) for one in (*well, *ill)] == [True] * 3 + [False] * 4
    assert [is_answer(one) for one in (*well, *ill)] == [True] * 5 + [False] * 2


@pytest.mark.parametrize(
    ("text", "number", "name"),
    [
        ("", signal.SIGTERM, "TERM"),
        ("SIGQUIT", signal.SIGQUIT, "QUIT"),
        ("int", signal.SIGINT, "INT"),
        ("10", signal.SIGUSR1, "USR1"),
        ("SIGRTMIN+3", signal.SIGRTMIN + 3, str(signal.SIGRTMIN + 3)),
    ],
)
def test_stop_signals(text: str, number: int, name: str) -> None:
    assert stop_signal(Execution(stop_signal=text)) == number
    assert signal_name(number) == name


@pytest.mark.parametrize("text", ["SIGNONE", "0", "65", "RTMIN+99", "-1", "SIG", "RTMIN+\u0661"])
def test_no_stop_signals(text: str) -> None:
    if text == "SIG":
        assert stop_signal(Execution(stop_signal=text)) == signal.SIGTERM
        return
    with pytest.raises(UsageError, match="has the unknown StopSignal"):
        stop_signal(Execution(stop_signal=text))


@settings(deadline=None)
@given(RECORDINGS)
def test_every_recording_can_be_shown(recordings: list[Recording]) -> None:
    stream = io.StringIO()
    print_recordings("oci:app", recordings, open_console(stream))
    assert "\x1b" not in stream.getvalue()
    schema("probes-v1.json").validate(json.loads(recordings_report("oci:app", recordings)))


@settings(deadline=None)
@given(RECORDINGS, RECORDINGS)
def test_every_difference_can_be_shown(one: list[Recording], other: list[Recording]) -> None:
    proved = [
        Proved(first.workload, judge(first, first, found)) for first, found in zip(one, other, strict=False)
    ]
    stream = io.StringIO()
    print_results("oci:a", "oci:b", proved, open_console(stream))
    assert "\x1b" not in stream.getvalue()
    document = json.loads(results_report("oci:a", "oci:b", proved))
    schema("comparison-v1.json").validate(document)
    assert document["passed"] == all(result.passed for one in proved for result in one.results)


def test_differences_are_shown_side_by_side() -> None:
    first = recording(said("one\ntwo\nthree"), said("ok"))
    results: tuple[ProbeResult, ...] = judge(first, first, recording(said("one\n2\nthree", 3), said("ok")))
    stream = io.StringIO()
    print_results("oci:a", "oci:b", [Proved("default", results)], open_console(stream))
    lines = [line.split() for line in stream.getvalue().splitlines()]
    assert lines == [
        ["oci:a", "->", "oci:b"],
        ["workload", "default"],
        ["FAILED", "exec:0"],
        ["exit", "code", "original", "result"],
        ["0", "3"],
        ["stdout", "original", "result"],
        ["1", "one", "one"],
        ["2", "two", "2"],
        ["3", "three", "three"],
        ["passed", "exec:1"],
        ["1", "of", "2", "probes", "failed"],
    ]
