# SPDX-License-Identifier: BSD-3-Clause
"""Commands whose help shows no types: a flag has none, and what has one says it by its metavar.

Newer versions of Typer show ``<bool>`` beside every flag and ``<list[str]>`` beside arguments.
"""

from __future__ import annotations

from typing import Any

from typer.core import TyperArgument, TyperCommand, TyperGroup


class Command(TyperCommand):
    """A command of that kind."""

    def get_params(self, ctx: Any) -> list[Any]:
        """All arguments and options, ``--help`` included."""
        return [plain(parameter) for parameter in super().get_params(ctx)]


class Group(TyperGroup):
    """Commands under one name."""

    def get_params(self, ctx: Any) -> list[Any]:
        """All options, ``--help`` included."""
        return [plain(parameter) for parameter in super().get_params(ctx)]


def plain(parameter: Any) -> Any:
    """The parameter, told to show no type."""
    if isinstance(parameter, TyperArgument):
        parameter.display_type_rich = lambda ctx: None  # type: ignore[method-assign]
    elif getattr(parameter, "is_flag", False) and parameter.metavar is None:
        parameter.metavar = ""
    return parameter
