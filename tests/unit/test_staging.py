from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from archive_samples import no_leftovers
from deadweight.errors import NotFound, TransportError, Unsupported
from deadweight.transport.staging import StagedFile, StagedFolder, folder_lock, is_staged, remove_abandoned


def test_a_file_appears_when_it_is_published(tmp_path: Path) -> None:
    target = tmp_path / "out"
    target.write_bytes(b"old")
    staged = StagedFile(target)
    staged.file.write(b"new")
    assert target.read_bytes() == b"old"
    staged.publish()
    staged.discard()
    assert target.read_bytes() == b"new"
    assert no_leftovers(tmp_path)


def test_a_file_that_is_not_published_leaves_nothing(tmp_path: Path) -> None:
    staged = StagedFile(tmp_path / "out")
    staged.file.write(b"new")
    staged.discard()
    assert not list(tmp_path.iterdir())


def test_a_new_file_has_the_usual_mode(tmp_path: Path) -> None:
    (tmp_path / "usual").touch()
    staged = StagedFile(tmp_path / "out")
    staged.publish()
    assert (tmp_path / "out").stat().st_mode == (tmp_path / "usual").stat().st_mode


def test_a_link_stays_and_its_file_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "link").symlink_to("sub/out")
    staged = StagedFile(tmp_path / "link")
    staged.file.write(b"new")
    staged.publish()
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "sub/out").read_bytes() == b"new"


def test_a_device_is_not_replaced(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(Unsupported, match="is no regular file, and is not replaced"):
        StagedFile(tmp_path / "fifo")
    with pytest.raises(Unsupported, match="is no regular file"):
        StagedFile(Path("/dev/null"))
    assert not Path("/dev/null").is_file()


@pytest.mark.parametrize("kind", [StagedFile, StagedFolder])
def test_the_folder_must_be_there(tmp_path: Path, kind: type[StagedFile | StagedFolder]) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(NotFound, match="missing: does not exist; make the folder first"):
        kind(tmp_path / "missing" / "out")
    with pytest.raises(NotFound, match="is no folder"):
        kind(tmp_path / "file" / "out")


def test_a_new_folder_appears_whole(tmp_path: Path) -> None:
    staged = StagedFolder(tmp_path / "out")
    assert staged.new
    staged.write("a/b", b"1")
    staged.write("last", b"2")
    assert not (tmp_path / "out").exists()
    assert staged.publish("last") == {"a/b", "last"}
    staged.discard()
    assert (tmp_path / "out/a/b").read_bytes() == b"1"
    assert no_leftovers(tmp_path)


def test_files_join_those_in_an_old_folder(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a/old").write_bytes(b"old")
    (tmp_path / "last").write_bytes(b"old")
    staged = StagedFolder(tmp_path)
    assert not staged.new
    staged.write("a/new", b"new")
    staged.write("last", b"new")
    assert (tmp_path / "last").read_bytes() == b"old"
    staged.publish("last")
    staged.discard()
    found = {
        str(path.relative_to(tmp_path)): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()
    }
    assert found == {"a/old": b"old", "a/new": b"new", "last": b"new"}
    assert no_leftovers(tmp_path)


def test_a_failing_publication_takes_back_what_it_added(tmp_path: Path) -> None:
    (tmp_path / "z").touch()  # where a folder is needed
    (tmp_path / "old").write_bytes(b"1")
    staged = StagedFolder(tmp_path)
    staged.write("a", b"new")
    staged.write("z/b", b"new")
    staged.write("last", b"new")
    with pytest.raises(TransportError):
        staged.publish("last")
    staged.discard()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["old", "z"]


def test_a_file_of_a_folder_is_removed_when_its_writing_fails(tmp_path: Path) -> None:
    staged = StagedFolder(tmp_path / "out")
    with pytest.raises(ZeroDivisionError), staged.file("a") as file:
        file.write(b"x" * (1 // 0))
    staged.write("last", b"")
    assert staged.publish("last") == {"last"}


def test_a_writer_at_work_is_left_alone(tmp_path: Path) -> None:
    first, second = StagedFile(tmp_path / "out"), StagedFolder(tmp_path / "folder")
    remove_abandoned(tmp_path)
    third = StagedFile(tmp_path / "out")
    first.publish()
    second.write("last", b"")
    second.publish("last")
    third.discard()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder", "out"]


def test_what_a_killed_writer_left_is_removed_by_the_next(tmp_path: Path) -> None:
    script = (
        "import os, sys; from pathlib import Path; from deadweight.transport import staging as s\n"
        "file = s.StagedFile(Path(sys.argv[1]) / 'out')\n"
        "file.file.write(b'x' * 10000)\n"
        "s.StagedFolder(Path(sys.argv[1]) / 'folder').write('a/b', b'1')\n"
        "os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=False)
    left = list(tmp_path.iterdir())
    assert len(left) == 2
    assert all(is_staged(path.name) for path in left)
    StagedFile(tmp_path / "out").publish()
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_stranger_with_a_similar_name_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / ".deadweight-mine.tmp").touch()
    (tmp_path / ".deadweight-0123456789ab.tmp").symlink_to(tmp_path)
    remove_abandoned(tmp_path)
    assert len(list(tmp_path.iterdir())) == 2


def test_a_lock_keeps_the_next_writer_waiting(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from deadweight.transport.staging import folder_lock\n"
        "with folder_lock(Path(sys.argv[1])): Path(sys.argv[1], 'late').touch()"
    )
    with folder_lock(tmp_path):
        other = subprocess.Popen([sys.executable, "-c", script, str(tmp_path)])
        with pytest.raises(subprocess.TimeoutExpired):
            other.wait(0.5)
        assert not (tmp_path / "late").exists()
    assert other.wait(60) == 0
    assert (tmp_path / "late").exists()
