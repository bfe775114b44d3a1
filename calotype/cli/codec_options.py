# SPDX-License-Identifier: BSD-3-Clause
"""Options of codecs on the command line: one for each name that any codec declares, whichever codecs have it."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .destination import wrong

if TYPE_CHECKING:
    from ..codecs import Entry
    from ..codecs.options import Option

Declared = list[tuple[str, "Option"]]  # one name's options, each with the id of its codec


def by_name(entries: Iterable[Entry]) -> dict[str, Declared]:
    """All options, those of the same name together."""
    found: dict[str, Declared] = {}
    for entry in entries:
        for option in entry.takes:
            found.setdefault(option.name, []).append((entry.id, option))
    return found


def with_codec_options(command: Callable[..., None], entries: Iterable[Entry]) -> Callable[..., None]:
    """``command``, whose ``**options`` are spelled out for Typer: those of the codecs, as texts."""
    own = inspect.signature(command, eval_str=True)
    parameters = [p for p in own.parameters.values() if p.kind is not p.VAR_KEYWORD]
    for name, declared in by_name(entries).items():
        if name in own.parameters:  # of another package; it could not be told from ours
            continue
        parameters.append(
            inspect.Parameter(
                name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[str | None, _shown(declared)]
            )
        )

    @functools.wraps(command)
    def run(*args: Any, **kwargs: Any) -> None:
        command(*args, **kwargs)

    run.__signature__ = own.replace(parameters=parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {p.name: p.annotation for p in parameters} | {"return": None}
    return run


def _shown(declared: Declared) -> Any:
    """Typer's option for one name: what each codec takes, and its default, in the panel of the first that has it."""
    taken: dict[str, dict[str, list[str]]] = {}  # by help, by values: ids of codecs
    for codec, option in declared:
        values = f"{option.values}, default {option.shown}"
        taken.setdefault(option.help, {}).setdefault(values, []).append(codec)
    texts = []
    for purpose, by_values in taken.items():
        values = "; ".join(f"{', '.join(ids)}: {values}" for values, ids in by_values.items())
        texts.append(f"{purpose} [dim]({values})[/dim]")
    first, option = declared[0]
    choices = list(dict.fromkeys(str(choice) for _, o in declared for choice in o.choices))

    def complete(incomplete: str) -> list[str]:
        return [choice for choice in choices if choice.startswith(incomplete)]

    return typer.Option(
        option.flag,
        metavar="N" if option.type in (int, float) else "NAME",
        help=" ".join(texts),
        autocompletion=complete,
        rich_help_panel=f"Options of {first}",
        show_default=False,
    )


def chosen(entry: Entry, given: dict[str, str | None]) -> dict[str, Any]:
    """The options that were given, as arguments of :func:`calotype.encode`.

    Raises:
        typer.BadParameter: the codec does not have one of them, or does not take its value.
        CalotypeError: weights, or a package, that an option needs are not installed.
    """
    from ..errors import PictureError

    known = {option.name: option for option in entry.takes}
    options: dict[str, Any] = {}
    for name, text in given.items():
        if text is not None:
            options[name] = known[name].parse(text) if name in known else text
            try:
                entry.validated({name: options[name]})
            except PictureError as error:
                raise wrong(f"--{name.replace('_', '-')}", str(error)) from None
    if options:
        try:
            entry.open(1).with_options(entry.validated(options))  # before any file is touched
        except PictureError as error:
            raise wrong(" ".join(known[name].flag for name in options), str(error)) from None
    return options
