# SPDX-License-Identifier: BSD-3-Clause
"""The command line: ``calotype encode``, ``decode``, ``info``, ``compare`` and the others, one file a command.

Standard output carries data only (pictures, facts, tables); progress, reports and errors go to standard error.
Exit codes: 0 all went well, 1 bad input or output, 2 wrong usage, 130 interrupted. What a command imports it
imports when it runs: ``calotype info`` answers before a person notices.
"""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from ..codecs import own
from ..errors import describe
from ..version import __version__
from . import (
    batch,
    bench,
    codecs,
    compare,
    decode,
    desktop,
    encode,
    extract,
    info,
    restore,
    selftest,
    train,
    truncate,
    upscale,
    view,
    wrap,
)
from .codec_options import with_codec_options
from .lesson import lesson
from .plain import Command, Group
from .problems import say
from .signals import die_cleanly
from .signs import allow_plain_signs
from .streams import stand_in


class _Program(Group):
    """The commands. The options of other packages' codecs take time to find: ``encode`` has them where they matter."""

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        name, command, rest = super().resolve_command(ctx, args)
        if name == "encode" and ctx.resilient_parsing | any(a.startswith(("--codec", "-h", "--help")) for a in rest):
            command = encode.command() or command
        return name, command, rest


app = typer.Typer(
    name="calotype",
    cls=_Program,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback(
    invoke_without_command=True,
    help=lesson(
        "Compress photographs with neural networks, and decode them.",
        {
            "encode photo.png": "one photograph: photo.calo",
            "decode photo.calo": "and back: photo.png",
            "encode album/ -o small/": "a folder and its subfolders",
            "info photo.calo": "facts about the file",
            "restore photo.jpg": "repaired: photo-restored.png",
            "upscale photo.png": "enlarged: photo-4x.png",
            "compare photo.png photo.calo": "how close they are",
        },
        "Each command has more help: [bold]calotype encode --help[/bold].",
    ),
)
def calotype(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", help="With --version: libraries, processor and weights, for reports.")
    ] = False,
) -> None:
    """Options of the program itself."""
    if version:
        from .about import about

        typer.echo(about() if verbose else f"calotype {__version__}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        context.fail("Missing command.")


app.command(cls=Command, help=encode.HELP)(with_codec_options(encode.encode, own()))
app.command(cls=Command, help=decode.HELP)(decode.decode)
app.command(cls=Command, help=info.HELP)(info.info)
app.command(cls=Command, help=batch.HELP)(batch.batch)
app.command(cls=Command, help=truncate.HELP)(truncate.truncate)
app.command(cls=Command, help=upscale.HELP)(upscale.upscale)
app.command(cls=Command, help=restore.HELP)(restore.restore)
app.command(cls=Command, help=extract.HELP)(extract.extract)
app.command(cls=Command, help=wrap.HELP)(wrap.wrap)
app.command(cls=Command, help=compare.HELP)(compare.compare)
app.command(cls=Command, help=view.HELP)(view.view)
app.add_typer(desktop.app)
app.command(cls=Command, help=codecs.HELP)(codecs.codecs)
app.command(cls=Command, help=selftest.HELP)(selftest.selftest)
app.command(cls=Command, help=bench.HELP, rich_help_panel="Laboratory")(bench.bench)
app.command(cls=Command, help=train.TRAIN_HELP, rich_help_panel="Laboratory")(train.train)
app.command(cls=Command, help=train.VALIDATE_HELP, rich_help_panel="Laboratory")(train.validate)
app.command(cls=Command, help=train.EXPORT_HELP, rich_help_panel="Laboratory")(train.export)


def main() -> None:
    """Run the command line on ``sys.argv`` and exit."""
    stand_in()
    die_cleanly()
    allow_plain_signs()
    try:
        app(prog_name="calotype")
    except OSError as error:  # of help that is written to a full disk; commands say their own
        say("", describe(error))
        sys.exit(1)
