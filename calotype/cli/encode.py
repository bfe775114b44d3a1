# SPDX-License-Identifier: BSD-3-Clause
"""``calotype encode``: pictures to ``.calo`` files."""

from __future__ import annotations

import io
from collections.abc import Collection
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..codecs import own
from ..codecs.talbot import ENTRY, FIRST_REFINEMENT
from ..container import EXTENSION
from . import many, streams
from .catalogue import all_codecs, complete_codec, named_codec
from .codec_options import chosen, with_codec_options
from .destination import check_json, destination, wrong
from .jobs import Job, plan
from .lesson import lesson
from .options import Inputs, Jobs, Json, Output, Overwrite, Preserve, Quiet, Threads
from .plain import Command
from .problems import guarded
from .sharing import sharing
from .sizes import size_option
from .walk import PICTURE_SUFFIXES
from .writing import put

if TYPE_CHECKING:
    from ..arrays import Progress

HELP = lesson(
    "Compress pictures: each becomes a .calo file.",
    {
        "encode photo.png": "makes photo.calo",
        "encode photo.png -o p.calo --quality 80": "better and larger",
        "encode photo.png --target-size 80kB": "the best in 80 kB",
        "encode photo.jpg --lossless --verify": "exact, and checked",
        "encode photo.png --codec ledig2017 --scale 4": "smaller than talbot",
        "encode photo.png --codec tao2017 --base avif": "an AVIF inside",
        "encode photo.png --codec toderici2017": "may be cut short",
        "encode *.jpg -o small/": "many, into a folder",
        "encode album/ -o small/": "a folder, mirrored",
        "encode - < photo.png > photo.calo": "in a pipe",
    },
    "A folder is searched recursively for pictures; hidden files and links to folders are passed over. With a folder "
    "or several files, what is up to date (made from this very picture with these settings) is not made again, so that "
    "an interrupted run goes on where it stopped; a hidden file .calotype-made beside the outputs keeps account of "
    "them. Any other file of the name of an output is an error, and stays unless you say --overwrite. A bad file does "
    "not stop the others.",
    "With --lossless, every sample comes back. A JPEG is kept: calotype extract gives back the same bytes, which is "
    "checked before the output appears. With the package imagecodecs it takes a sixth less, without it as much as "
    "before. With --still, its samples are stored instead.",
    "An input is never overwritten. Pictures whose names differ only in the suffix keep it: a.png and a.jpg become "
    "a.png.calo and a.jpg.calo. With several inputs, each folder keeps its name below the output folder.",
    "Exit codes: 0 all went well, 1 a file failed, 2 wrong usage.",
)


@guarded
def encode(
    inputs: Inputs,
    output: Output = None,
    quality: Annotated[
        float | None, typer.Option(metavar="Q", min=1, max=100, help="From 1 (smallest) to 100 (best). Default: 60.")
    ] = None,
    target_size: Annotated[
        str | None, typer.Option(metavar="SIZE", help="The best quality within this size: 80kB, 64KiB, 1.5MB.")
    ] = None,
    target_psnr: Annotated[
        float | None, typer.Option(metavar="DB", help="The smallest file with at least this PSNR in decibels.")
    ] = None,
    target_ssim: Annotated[
        float | None, typer.Option(metavar="S", help="The smallest file with at least this SSIM, below 1.")
    ] = None,
    target_ssimulacra2: Annotated[
        float | None,
        typer.Option(metavar="S", help="The smallest file with at least this SSIMULACRA 2; 80 is high quality."),
    ] = None,
    codec: Annotated[
        str, typer.Option(metavar="ID", autocompletion=complete_codec, help="See [bold]calotype codecs[/bold].")
    ] = "talbot",
    lossless: Annotated[
        bool,
        typer.Option(
            "--lossless", help="Every sample comes back; a JPEG is kept byte for byte, smaller with imagecodecs."
        ),
    ] = False,
    strip: Annotated[bool, typer.Option("--strip", help="Leave out colour profile, EXIF and other metadata.")] = False,
    verify: Annotated[
        bool, typer.Option("--verify", help="Decode what was made, and compare, before the output appears.")
    ] = False,
    threads: Threads = None,
    jobs: Jobs = None,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
    preserve: Preserve = False,
    as_json: Json = False,
    **options: str | None,
) -> None:
    """See :data:`HELP`; ``options`` are those of the codecs."""
    demands = request(quality, target_size, inputs, psnr=target_psnr, ssim=target_ssim, ssimulacra2=target_ssimulacra2)
    entry = named_codec("lossless" if lossless and codec == "talbot" else codec)
    if entry.lossless and demands:
        demand = next(iter(demands)).replace("_", "-")
        raise wrong(f"--{demand}", f"codec '{entry.id}' gives back every sample: leave it out")
    if lossless and not entry.lossless:
        raise wrong("--lossless", f"codec '{entry.id}' is not lossless: leave out --lossless or --codec")
    codec = entry.id
    demands |= chosen(entry, options)
    place = destination(output, inputs, suffixes=[EXTENSION], other=PICTURE_SUFFIXES)
    settings = {"command": "encode", "codec": codec, "strip": strip, **demands}
    if verify:
        settings["verify"] = demands["verify"] = True  # what was not verified is not up to date
    todo = plan(inputs, place, suffixes=PICTURE_SUFFIXES, suffix=EXTENSION, overwrite=overwrite, settings=settings)
    todo.preserve = preserve
    check_json(as_json, place)

    def work(threads: int | None, job: Job, progress: Progress) -> many.Result:
        from .. import raster
        from ..api.encode import encode as encode_picture
        from ..api.wrap import kept_jpeg

        source, before = streams.source(job.source)
        picture = raster.load(source)
        if entry.lossless and not any(options.values()) and (jpeg := _jpeg(source)):
            data = kept_jpeg(jpeg, picture, strip=strip, verify=verify, threads=threads)
        else:
            data = encode_picture(picture, codec=codec, strip=strip, threads=threads, progress=progress, **demands)
        return put(job, data, before, picture.width, picture.height)

    def cells(result: many.Result) -> list[str]:
        bpp = 8 * result.after / (result.width * result.height)
        saved = f"{many.saving(result.before, result.after):>8}"
        return [f"{bpp:6.3f} bpp", saved, *(["verified"] if verify else [])]

    refined = codec == ENTRY.id and demands.get("effort", 0) >= FIRST_REFINEMENT  # PyTorch has threads of its own
    shared = None if refined else sharing(jobs, threads, work)
    many.run(
        todo,
        partial(work, threads),
        verb="encoded",
        nothing=f"no pictures in {', '.join(inputs)}",
        quiet=quiet,
        as_json=as_json,
        sharing=shared,
        cells=cells,
    )


def command() -> Any:
    """The command as Typer makes it, with the options of all codecs; None if there are none but ours."""
    known = all_codecs()
    if len(known) == len(own()):
        return None
    alone = typer.Typer(rich_markup_mode="rich", add_completion=False, pretty_exceptions_enable=False)
    alone.command("encode", cls=Command, help=HELP)(with_codec_options(encode, known))
    return typer.main.get_command(alone)


def _jpeg(source: Path | io.BytesIO) -> bytes | None:
    """The bytes of a picture file if it is a JPEG."""
    start = b"\xff\xd8\xff"
    if isinstance(source, io.BytesIO):
        data = source.getvalue()
        return data if data.startswith(start) else None
    with open(source, "rb") as file:
        return start + file.read() if file.read(len(start)) == start else None


def request(
    quality: float | None, size: str | None, inputs: Collection[str] = (), **fidelity: float | None
) -> dict[str, Any]:
    """The one demand that was made, as an argument of :func:`calotype.encode`; none for its default."""
    demands = {"quality": quality, "target_size": size, **{f"target_{name}": value for name, value in fidelity.items()}}
    made = [name for name, value in demands.items() if value is not None]
    options = [f"--{name.replace('_', '-')}" for name in made]
    if len(made) > 1:
        raise wrong(options[1], f"cannot be combined with {options[0]}: choose one of them")
    for name, value in fidelity.items():
        if value is not None:
            _check_target(name, value)
    if size is not None:
        return {"target_size": size_option("--target-size", size, inputs)}
    return {name: demands[name] for name in made}


def _check_target(name: str, value: float) -> None:
    """Refuse a value that the metric cannot have."""
    from ..metrics.catalogue import NAMED

    target = NAMED[name].target
    if target and not target.lowest < value < target.highest:
        raise wrong(f"--target-{name}", f"{value:g} is not between {target.lowest:g} and {target.highest:g}")
