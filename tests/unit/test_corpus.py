"""The applications of the corpus say what they must: enough behaviours, none of which a probe already asks."""

from __future__ import annotations

from pathlib import Path

import pytest

from examples.corpus.application import names, read_application, read_behaviours, read_slim
from examples.corpus.build import build
from examples.corpus.questions import Answer, Behaviour, Kind, Question


@pytest.mark.parametrize("name", names())
def test_application_is_complete(name: str) -> None:
    application = read_application(name)
    probes = read_slim(application).probes
    behaviours = read_behaviours(application)
    assert application.name == name
    assert bool(application.packages.debian) != bool(application.packages.rootfs)
    assert probes
    assert len(behaviours) >= 5
    assert len({one.name for one in behaviours}) == len(behaviours)
    assert not {one.question for one in behaviours} & set(probes)
    assert all((application.folder / source).exists() for source in application.files)


def test_question_with_a_body() -> None:
    question = Question.parse('http:POST /book {"name": "Ada"}')
    assert question.kind is Kind.HTTP
    assert question.request() == ("POST", "/book", '{"name": "Ada"}')


def test_objections() -> None:
    behaviour = Behaviour.from_table(
        {"name": "a", "ask": "http:GET /a", "output": "^b$", "header": "text/css"}
    )
    assert behaviour.objection(Answer(200, "a\nb", "Content-Type: text/css")) == ""
    assert "404 instead of 200" in behaviour.objection(Answer(404, "b"))
    assert "^b$" in behaviour.objection(Answer(200, "abc", "text/css"))
    assert "text/css" in behaviour.objection(Answer(200, "b", "text/plain"))


def test_exit_code_is_expected_to_be_zero_unless_said() -> None:
    assert Behaviour.from_table({"name": "a", "ask": "exec:true"}).code == 0
    assert Behaviour.from_table({"name": "a", "ask": "exec:false", "exit": 1}).code == 1


def test_what_begins_with_a_missing_archive_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEADWEIGHT_FIXTURES", str(tmp_path))
    application = read_application("alpine")
    assert application.rootfs is not None
    assert application.left_out.startswith(f"alpine is left out: {application.rootfs} is not there")
    with pytest.raises(SystemExit, match="left out"):
        build(application, tmp_path / "image")
    application.rootfs.parent.mkdir(parents=True)
    application.rootfs.touch()
    assert application.left_out == ""
    assert read_application("go").left_out == ""
