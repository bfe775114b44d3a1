# SPDX-License-Identifier: BSD-3-Clause
"""File names and messages as a terminal may safely show them."""

from __future__ import annotations

import os
import re
import unicodedata


def shown(text: str | os.PathLike[str]) -> str:
    """One printable line: a name may hold bytes that are no text, line breaks, or commands to the terminal.

    Spaces of all widths stay, as in the names that macOS gives screenshots.
    """
    plain = os.fsencode(text).decode("utf-8", "replace")
    return "".join(c if _is_plain(c) else "\N{REPLACEMENT CHARACTER}" for c in " ".join(plain.splitlines()))


def _is_plain(character: str) -> bool:
    return character.isprintable() or unicodedata.category(character) == "Zs"


def counted(kind: str, count: int) -> str:
    """``3 .txt``, ``1 file without suffix``: how many files of a kind were passed over."""
    one = re.sub(r"\b(file|folder)s\b", r"\1", kind) if count == 1 and not kind.startswith(".") else kind
    return f"{count:,} {shown(one)}"


def cell_width(text: str) -> int:
    """Number of terminal cells of ``text``."""
    from rich.cells import cell_len

    return cell_len(text)


def fit(text: str, width: int) -> str:
    """``text`` in exactly ``width`` terminal cells: padded, or without its beginning (the end tells files apart)."""
    if cell_width(text) > width:
        while text and cell_width(text) > width - 1:
            text = text[1:]
        text = "…" + text
    return text + " " * (width - cell_width(text))
