# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import errno
import os
import signal
import stat
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import calotype
from calotype.atomic import atomic, write_atomically
from calotype.errors import CalotypeError

posix = pytest.mark.skipif(os.name != "posix", reason="permissions and signals of POSIX")


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_writes_and_replaces(tmp_path: Path) -> None:
    target = tmp_path / "a.calo"
    write_atomically(target, b"one")
    write_atomically(str(target), b"two")
    assert contents(tmp_path) == {"a.calo": b"two"}


def test_the_file_can_be_read_and_positioned(tmp_path: Path) -> None:
    with atomic(tmp_path / "a") as out:
        out.write(b"abc")
        out.seek(0)
        assert out.read() == b"abc"
        assert not (tmp_path / "a").exists(), "visible before it is whole"
    assert contents(tmp_path) == {"a": b"abc"}


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit, CalotypeError])
def test_an_exception_leaves_everything_as_it_was(tmp_path: Path, error: type[BaseException]) -> None:
    target = tmp_path / "a"
    target.write_bytes(b"precious")
    with pytest.raises(error), atomic(target) as out:
        out.write(b"half")
        raise error
    assert contents(tmp_path) == {"a": b"precious"}


def test_a_full_disk_leaves_everything_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(number: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    (tmp_path / "a").write_bytes(b"precious")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(CalotypeError, match="the disk is full"):
        write_atomically(tmp_path / "a", b"x")
    assert contents(tmp_path) == {"a": b"precious"}


def test_an_error_that_is_not_the_systems_passes(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="encoder error"), atomic(tmp_path / "a"):
        raise OSError("encoder error")
    assert not contents(tmp_path)


def test_missing_folders(tmp_path: Path) -> None:
    target = tmp_path / "x" / "y" / "a"
    with pytest.raises(CalotypeError, match="its folder does not exist"):
        write_atomically(target, b"x")
    write_atomically(target, b"x", parents=True)
    assert target.read_bytes() == b"x"


def test_a_file_where_a_folder_should_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(CalotypeError, match="is a file, not a folder"):
        write_atomically(tmp_path / "file" / "a", b"x", parents=True)


def test_a_folder_where_the_file_should_be(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with pytest.raises(CalotypeError, match=r"cannot write .*a: it is a folder"):
        write_atomically(tmp_path / "a", b"x")
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


def test_a_name_that_no_file_can_have(tmp_path: Path) -> None:
    with pytest.raises(CalotypeError, match="such a name is not allowed"):
        write_atomically(tmp_path / "a\0b", b"new")
    with pytest.raises(CalotypeError, match="cannot read"):
        calotype.read(tmp_path / "a\0b")


def test_a_name_as_long_as_names_may_be(tmp_path: Path) -> None:
    name = "n" * 255
    if os.name == "posix":  # Windows counts the whole path
        write_atomically(tmp_path / name, b"x")
        assert contents(tmp_path) == {name: b"x"}
    with pytest.raises(CalotypeError, match="too long"):
        write_atomically(tmp_path / (name + "n"), b"x")


@pytest.mark.parametrize("refusals", [2, 9])
def test_windows_refuses_while_a_program_has_the_file_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refusals: int
) -> None:
    left = refusals

    def replace(self: Path, target: Path) -> None:
        nonlocal left
        left -= 1
        if left >= 0:
            raise PermissionError(errno.EACCES, "Access is denied")
        os.replace(self, target)  # noqa: PTH105

    (tmp_path / "a").write_bytes(b"precious")
    monkeypatch.setattr("calotype.atomic.WINDOWS", True)
    monkeypatch.setattr("calotype.atomic.PAUSES", (0.0, 0.0, 0.0))
    monkeypatch.setattr(Path, "replace", replace)
    if refusals == 2:
        write_atomically(tmp_path / "a", b"new")
        assert contents(tmp_path) == {"a": b"new"}
    else:
        with pytest.raises(CalotypeError, match="or close the program that has it open"):
            write_atomically(tmp_path / "a", b"new")
        assert contents(tmp_path) == {"a": b"precious"}


@posix
def test_permissions_are_the_usual_or_those_of_the_old_file(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_atomically(tmp_path / "new", b"")
        (tmp_path / "old").write_bytes(b"")
        (tmp_path / "old").chmod(0o604)
        write_atomically(tmp_path / "old", b"")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o640
    assert stat.S_IMODE((tmp_path / "old").stat().st_mode) == 0o604


@posix
def test_a_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "target").write_bytes(b"old")
    (tmp_path / "link").symlink_to("target")
    write_atomically(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "target").read_bytes() == b"new"


@posix
def test_a_device_is_written_to_and_not_replaced() -> None:
    write_atomically("/dev/null", b"x")
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)


@posix
def test_a_pipe_without_a_name_is_written_to() -> None:
    read, write = os.pipe()
    try:
        write_atomically(f"/dev/fd/{write}", b"x")
        assert os.read(read, 9) == b"x"
    finally:
        os.close(read)
        os.close(write)


@posix
def test_no_permission(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("the administrator may do anything")
    (tmp_path / "a").write_bytes(b"")
    (tmp_path / "a").chmod(0o444)
    with pytest.raises(CalotypeError, match="no permission"):
        write_atomically(tmp_path / "a", b"x")
    tmp_path.chmod(0o555)
    with pytest.raises(CalotypeError, match="no permission"):
        write_atomically(tmp_path / "b", b"x")


@posix
def test_a_request_to_end_leaves_no_debris(tmp_path: Path) -> None:
    program = """
        import sys, time
        from calotype.cli.signals import die_cleanly
        from calotype.atomic import atomic
        die_cleanly()
        with atomic(sys.argv[1]) as out:
            out.write(b"half")
            print("ready", flush=True)
            time.sleep(60)
    """
    command = [sys.executable, "-c", textwrap.dedent(program), str(tmp_path / "a")]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert len(list(tmp_path.iterdir())) == 1
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 128 + signal.SIGTERM
    assert not contents(tmp_path)
