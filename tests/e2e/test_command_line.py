"""The command line as its users meet it: exit codes, one line for what is wrong, pipes and interrupts."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from image_samples import write_layout
from layer_stacks import Item

LAYERS = [[Item("app", "f", b"1" * 4000), Item("old", "f", b"2" * 3000)], [Item(".wh.old", "f")]]


@pytest.fixture
def image(tmp_path: Path) -> str:
    return write_layout(tmp_path / "image", LAYERS, history=["ADD x", "RUN rm old"])


def run(*arguments: str, cwd: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "deadweight", *arguments]
    home = {"XDG_CACHE_HOME": str(cwd / "cache")} if cwd else {}
    env = {**os.environ, **home, **environment}
    return subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=cwd, env=env, check=False)


def test_version_and_help() -> None:
    assert run("--version").stdout.startswith("deadweight ")
    text = run("--help").stdout
    for command in ("analyze", "diff", "check", "ls", "cat", "tree", "copy"):
        assert command in text
        assert run(command, "--help").returncode == 0


def test_analyze(image: str, tmp_path: Path) -> None:
    done = run("analyze", image, "--json", "a.json", "--html", "a.html", "--markdown", "a.md", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Deleted by a later layer" in done.stdout
    assert json.loads((tmp_path / "a.json").read_text())["classes"]["deleted"] == 3000
    assert (tmp_path / "a.html").read_text().startswith("<!")
    assert (tmp_path / "a.md").read_text().startswith("###")


def test_json_on_standard_output_is_all_there_is(image: str, tmp_path: Path) -> None:
    assert json.loads(run("analyze", image, "--json", "-", cwd=tmp_path).stdout)["size"]["unpacked"] == 7000


@pytest.mark.parametrize(
    ("options", "unpacked"),
    [
        (["--layer", "1"], 7000),
        (["--layer", "2"], 0),
        (["--path", "/app"], 4000),
        (["--owner", "none"], 7000),
    ],
)
def test_narrowed(image: str, tmp_path: Path, options: list[str], unpacked: int) -> None:
    document = json.loads(run("analyze", image, *options, "--json", "-", cwd=tmp_path).stdout)
    assert document["size"]["unpacked"] == unpacked
    assert sum(document["classes"].values()) == unpacked


def test_check_says_yes_no_and_cannot(image: str, tmp_path: Path) -> None:
    assert run("check", image, "--dead", "3000", cwd=tmp_path).returncode == 0
    over = run("check", image, "--dead", "2999", cwd=tmp_path, GITHUB_ACTIONS="true")
    assert over.returncode == 1
    assert "over budget" in over.stdout
    assert "::error title=deadweight budget::" in over.stdout
    missing = run("check", image, cwd=tmp_path)
    assert missing.returncode == 2
    assert "deadweight.toml" in missing.stderr


def test_a_path_that_no_layer_has(image: str, tmp_path: Path) -> None:
    done = run("analyze", image, "--path", "/ap", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"deadweight: error: /ap: no layer of {image} has a file there\n"
    assert run("analyze", image, "--path", "/", cwd=tmp_path).returncode == 0


def test_a_reason_is_one_line(tmp_path: Path) -> None:
    step = "RUN " + "long " * 60
    big = write_layout(
        tmp_path / "big", [[Item("a", "f", b"1")], [Item("a", "f", b"2")]], history=["x", step]
    )
    lines = run("check", big, "--dead", "0", cwd=tmp_path).stdout.splitlines()
    assert [line[:6] for line in lines[3:]] == ["  dead"]


def test_check_with_settings_and_a_saved_baseline(image: str, tmp_path: Path) -> None:
    (tmp_path / "deadweight.toml").write_text('[budget]\ngrowth = "10 %"\nbaseline = "base.json"\n')
    small = write_layout(tmp_path / "small", [[Item("app", "f", b"1" * 4000)]])
    assert run("analyze", small, "--json", "base.json", cwd=tmp_path).returncode == 0
    assert run("check", small, cwd=tmp_path).returncode == 0
    grown = run("check", image, cwd=tmp_path)
    assert grown.returncode == 1
    assert "growth" in grown.stdout


def test_a_baseline_that_is_not_there_or_endless(image: str, tmp_path: Path) -> None:
    (tmp_path / "endless.json").symlink_to("/dev/zero")
    for name, problem in (
        ("no.json", "No such file or directory"),
        ("endless.json", "16777217 bytes of JSON are more than 16777216"),
    ):
        done = run("check", image, "--growth", "5%", "--baseline", name, cwd=tmp_path)
        assert (done.returncode, done.stderr) == (2, f"deadweight: error: {name}: {problem}\n")


def test_diff_of_one_pair_and_of_several(image: str, tmp_path: Path) -> None:
    small = write_layout(tmp_path / "small", [[Item("app", "f", b"1" * 1000)]])
    one = run("diff", small, image, cwd=tmp_path)
    assert one.returncode == 0
    assert "/app" in one.stdout
    table = run("diff", f"{image}={small}", f"{small}={small}", cwd=tmp_path)
    assert "the set, shared layers once" in table.stdout
    assert "86 %" in table.stdout
    document = json.loads(run("diff", small, image, "--json", "-", cwd=tmp_path).stdout)
    assert document["comparisons"][0]["files"][0]["path"] == "app"


def test_look_inside(image: str, tmp_path: Path) -> None:
    assert "app" in run("ls", image, cwd=tmp_path).stdout
    assert "old" not in run("ls", image, cwd=tmp_path).stdout
    assert run("cat", image, "/app", cwd=tmp_path).stdout == "1" * 4000
    assert "4.0 kB" in run("tree", image, cwd=tmp_path).stdout
    wrong = run("cat", image, "/apo", cwd=tmp_path)
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert "did you mean /app?" in wrong.stderr


def test_copy(image: str, tmp_path: Path) -> None:
    done = run("copy", image, "oci:copied", "--compression", "zstd", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "converted" in done.stdout
    document = json.loads(run("analyze", "oci:copied", "--json", "-", cwd=tmp_path).stdout)
    assert document["layers"][0]["media_type"].endswith("+zstd")


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["analyse", "x"], "there is no command 'analyse'; did you mean analyze?\n"),
        (["help"], "there is no command 'help'; choose from analyze, "),
        (
            ["analyze", "x", "--jsn", "a"],
            "deadweight analyze: error: there is no option --jsn; did you mean --json?\n",
        ),
        (["analyze", "x", "--zzz=a"], "there is no option --zzz; try deadweight analyze --help\n"),
        (["--verson", "analyze", "x"], "there is no option --verson; did you mean --version?\n"),
        (["ls", "x", "y", "z\x1b[31m\nw"], r"there is no use for 'z\x1b[31m\nw'; try deadweight ls --help"),
        (["analyze", "x", "--\x1b\n"], r"there is no option --\x1b\x0a; try"),
        (["analyze", "x", "--top", "many"], "argument --top: 'many' is no whole number; try"),
        (["diff", "x", "y", "--top", "0"], "argument --top: 0 is less than 1; try"),
        (["tree", "x", "-L", "-1"], "argument -L/--depth: -1 is less than 0; try"),
        (["check", "x", "--layers", "-1"], "argument --layers: -1 is less than 0; try"),
        (["copy", "x", "oci:y", "--threads", "-1"], "argument --threads: -1 is less than 0; try"),
        (
            ["slim", "x", "--to", "oci:y", "--level", "deep"],
            "argument --level: invalid choice: 'deep' (choose from",
        ),
        (["analyze"], "IMAGE"),
        (["analyze", "./nothing.tar"], "nothing.tar"),
        (["analyze", "oci:nowhere"], "nowhere"),
        (["diff", "a"], "is no pair"),
        (
            ["copy", "a", "b"],
            "is no destination; write TRANSPORT:LOCATION with one of docker-archive:, oci:, ",
        ),
        (["copy", "a", "b"], "rootfs:\n"),
        (["analyze", "x", "--platform", "a/b/c/d"], "is not a platform"),
    ],
)
def test_mistakes_are_one_line_and_exit_code_2(tmp_path: Path, arguments: list[str], part: str) -> None:
    done = run(*arguments, cwd=tmp_path, DOCKER_HOST="unix:///nonexistent")
    assert done.returncode == 2
    assert part in done.stderr
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr


def test_a_closed_pipe_is_no_error(image: str, tmp_path: Path) -> None:
    command = f"{sys.executable} -m deadweight tree {image} | head -1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60, check=False)
    assert done.stderr == ""


def test_ctrl_c_is_one_line(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    command = [sys.executable, "-m", "deadweight", "analyze", f"docker-archive:{pipe}"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    time.sleep(1.5)
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=60)
        assert process.returncode == 130
        assert told == "deadweight: interrupted\n"
    else:  # a pipe was refused at once, which is as good
        assert process.returncode == 2
        process.communicate()


def test_nothing_but_errors_on_standard_error_in_a_pipe(image: str, tmp_path: Path) -> None:
    assert run("copy", image, "oci:there", cwd=tmp_path).stderr == ""


@pytest.mark.parametrize("command", [["analyze"], ["diff", "a"]])
def test_standard_output_takes_one_report(command: list[str]) -> None:
    done = run(*command, "x", "--json", "-", "--markdown", "-")
    assert (done.returncode, done.stdout) == (2, "")
    assert "standard output takes one report" in done.stderr


def test_a_page_on_standard_output_is_all_there_is(image: str, tmp_path: Path) -> None:
    text = run("analyze", image, "--html", "-", cwd=tmp_path).stdout
    assert text.startswith("<!")
    assert text.rstrip().endswith("</html>")


@pytest.mark.parametrize(
    ("file", "problem"),
    [
        ("", "'': is the name of no file; write - for standard output"),
        ("nowhere/a.json", "nowhere/a.json: cannot be written: No such file or directory"),
        ("folder", "folder: cannot be written: Is a directory"),
        ("/dev/full", "/dev/full: cannot be written: No space left on device"),
    ],
)
@pytest.mark.parametrize("command", [["analyze"], ["check", "--dead", "0"]])
def test_a_report_that_cannot_be_written(
    image: str, tmp_path: Path, command: list[str], file: str, problem: str
) -> None:
    (tmp_path / "folder").mkdir()
    done = run(*command, image, "--json", file, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (2, f"deadweight: error: {problem}\n")
    assert {path.name for path in tmp_path.iterdir()} <= {"image", "folder", "cache"}


def test_a_report_goes_through_links_pipes_and_devices(image: str, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("target")
    assert run("analyze", image, "--json", "link", cwd=tmp_path).returncode == 0
    assert json.loads((tmp_path / "target").read_text())["size"]["unpacked"] == 7000
    assert (tmp_path / "link").is_symlink()
    os.mkfifo(tmp_path / "pipe")
    line = f"cat pipe & {sys.executable} -m deadweight analyze {image} --json pipe > /dev/null; wait"
    done = subprocess.run(["sh", "-c", line], cwd=tmp_path, capture_output=True, timeout=60, check=True)
    assert json.loads(done.stdout)["size"]["unpacked"] == 7000
    assert (tmp_path / "pipe").is_fifo()


@pytest.mark.parametrize("command", ["analyze", "tree", "ls"])
def test_a_locale_without_the_characters(tmp_path: Path, command: str) -> None:
    files = [Item("été", "f", b"1" * 4000), Item("\udcff", "f", b"2")]
    image = write_layout(tmp_path / "image", [files], history=["ADD été"])
    done = run(command, image, cwd=tmp_path, PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stderr) == (0, "")
    assert "?t?" in done.stdout


def test_json_is_utf_8_in_every_locale(tmp_path: Path) -> None:
    image = write_layout(tmp_path / "image", [[Item("a", "f", b"1")]], history=["ADD été"])
    arguments = ("analyze", image, "--json", "-")
    usual = run(*arguments, cwd=tmp_path)
    assert "été" in usual.stdout
    assert run(*arguments, cwd=tmp_path, PYTHONIOENCODING="ascii").stdout == usual.stdout


def test_no_progress_where_a_line_cannot_be_erased(image: str, tmp_path: Path) -> None:
    command = f"{sys.executable} -m deadweight ls {image}"
    for terminal, codes in (("xterm", True), ("dumb", False)):
        done = subprocess.run(
            ["script", "-qc", command, "/dev/null"],
            cwd=tmp_path,
            env=os.environ | {"TERM": terminal},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=60,
            check=True,
        )
        assert (b"\x1b[K" in done.stdout) is codes


@pytest.mark.parametrize("kind", ["oci", "oci-archive", "docker-archive", "dir"])
def test_a_copy_that_finds_no_room(tmp_path: Path, kind: str) -> None:
    image = write_layout(tmp_path / "image", [[Item("app", "f", os.urandom(100_000))]])
    (tmp_path / "folder").mkdir()
    line = f"ulimit -f 20; {sys.executable} -m deadweight copy {image} {kind}:folder/new"
    done = subprocess.run(
        ["bash", "-c", line], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 2
    assert done.stderr.endswith("folder/new: file too large\n")
    assert done.stderr.count("\n") == 1
    assert not list((tmp_path / "folder").iterdir())
