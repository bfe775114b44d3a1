# SPDX-License-Identifier: BSD-3-Clause
"""What a desktop reads, by the rules of freedesktop.org: a MIME type, a program that opens it, a thumbnailer."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ..container import EXTENSION, SIGNATURE

MIME_TYPE = "image/x-calotype"

MIME = """<?xml version="1.0" encoding="UTF-8"?>
<mime-info xmlns="http://www.freedesktop.org/standards/shared-mime-info">
  <mime-type type="{type}">
    <comment>Calotype picture</comment>
    <generic-icon name="image-x-generic"/>
    <magic priority="80">
      <match type="string" offset="0" value="{magic}"/>
    </magic>
    <glob pattern="*{extension}"/>
  </mime-type>
</mime-info>
"""
APPLICATION = """[Desktop Entry]
Type=Application
Name=Calotype
GenericName=Picture Viewer
Comment=Look at .calo pictures in the browser
Exec={command} view %f
TryExec={program}
Terminal=true
MimeType={type};
Categories=Graphics;Viewer;
Icon=image-x-generic
"""
THUMBNAILER = """[Thumbnailer Entry]
TryExec={program}
Exec={command} desktop thumbnail %i %o %s
MimeType={type};
"""


def quoted(argument: str) -> str:
    """An argument of an ``Exec`` key: in quotes, with what is special there and in the file escaped."""
    inner = "".join(f"\\{c}" if c in '"`$\\' else c for c in argument).replace("%", "%%")
    return '"' + inner.replace("\\", "\\\\") + '"'


def files(data: Path, program: str) -> Mapping[Path, str]:
    """Contents by path of all that is to be installed.

    Args:
        data: the folder of the user's data, ``~/.local/share`` as a rule.
        program: path of the command ``calotype``.
    """
    magic = "".join(chr(b) if 0x20 <= b < 0x7F else f"\\x{b:02x}" for b in SIGNATURE)
    words = {
        "type": MIME_TYPE, "extension": EXTENSION, "magic": magic, "program": program, "command": quoted(program),
    }  # fmt: skip
    return {
        data / "mime" / "packages" / "calotype.xml": MIME.format(**words),
        data / "applications" / "calotype.desktop": APPLICATION.format(**words),
        data / "thumbnailers" / "calotype.thumbnailer": THUMBNAILER.format(**words),
    }
