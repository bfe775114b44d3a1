# SPDX-License-Identifier: BSD-3-Clause
"""The help of a command: what it does, examples to copy, and what to expect."""

from __future__ import annotations


def lesson(summary: str, examples: dict[str, str], *paragraphs: str) -> str:
    """The text of ``--help``, in Rich markup.

    Args:
        summary: one sentence.
        examples: what to type after ``calotype``, and what it does; a line each, short enough for 80 columns.
        paragraphs: what else to know; each one wraps by itself.
    """
    width = max(map(len, examples))
    lines = [f"  calotype {command:<{width}}  [dim]{result}[/dim]" for command, result in examples.items()]
    listing = "\n".join(["\b[bold]Examples[/bold]", *lines])  # \b keeps Typer from joining the lines
    return "\n\n".join([summary, listing, *paragraphs])
