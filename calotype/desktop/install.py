# SPDX-License-Identifier: BSD-3-Clause
"""Install and remove what :mod:`calotype.desktop.entries` describes, in the folders of one user."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from ..atomic import write_atomically
from ..errors import CalotypeError, PictureError
from .entries import files


def data_folder() -> Path:
    """``$XDG_DATA_HOME``, or ``~/.local/share``."""
    named = os.environ.get("XDG_DATA_HOME", "")
    return Path(named) if Path(named).is_absolute() else Path.home() / ".local" / "share"


def program() -> str:
    """Path of the command ``calotype``; CalotypeError if it is not installed."""
    beside = Path(sys.executable).with_name("calotype")
    found = str(beside) if beside.exists() else shutil.which("calotype")
    if not found:
        raise CalotypeError("the command calotype is not installed: pip install calotype")
    return found


def check_platform() -> None:
    """PictureError where there are no such desktops."""
    if not sys.platform.startswith("linux"):
        raise PictureError("this is for desktops of Linux; docs/web.md says what to do on Windows and macOS")


def install() -> list[Path]:
    """Write all files; returns them. What another version wrote is replaced. CalotypeError if one cannot be."""
    check_platform()
    data = data_folder()
    written = files(data, program())
    for path, content in written.items():
        write_atomically(path, content.encode(), parents=True)
    refresh(data)
    return list(written)


def remove() -> list[Path]:
    """Remove all files; returns those that were there."""
    check_platform()
    data = data_folder()
    there = [path for path in files(data, "calotype") if path.exists()]
    for path in there:
        path.unlink()
    refresh(data)
    return there


def refresh(data: Path) -> None:
    """Let the desktop read its folders anew, where the tools for that are installed."""
    for tool, folder in (("update-mime-database", "mime"), ("update-desktop-database", "applications")):
        found = shutil.which(tool)
        if found and (data / folder).is_dir():
            subprocess.run([found, str(data / folder)], check=False, capture_output=True)
