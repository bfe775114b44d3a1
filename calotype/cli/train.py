# SPDX-License-Identifier: BSD-3-Clause
"""``calotype train``, ``validate`` and ``export``: from photographs to the weights of a codec."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from ..errors import DependencyError
from .lesson import lesson
from .problems import guarded

TRAIN_HELP = lesson(
    "Train a codec on a folder of photographs.",
    {
        "train talbot --data photos/": "with talbot's recipe",
        "train talbot --data photos/ --hours 10": "10 hours in all",
        "train my.toml --data photos/ --run runs/mine": "a recipe of your own",
        "train talbot --data hf:NAME:train": "from Hugging Face",
    },
    "--data names a folder of photographs, Parquet files, a data set of Hugging Face (hf:NAME or hf:NAME:SPLIT), "
    "cifar10, stl10 or oxford-pets; all but the first need pip install 'calotype\\[datasets]'.",
    "The state is saved every few minutes and at Ctrl-C, after the step in progress (a second Ctrl-C stops at once); "
    "the same command goes on from exactly the saved state. With more --hours than before, it goes on from where the "
    "learning rate began to fall.",
    "--init starts from trained weights: a bundle, such as calotype/weights/talbot, or the file of float weights that "
    "an export leaves beside the state. Without it a network starts as the transform of Karhunen and Loève.",
    "Several processes train together: torchrun --nproc-per-node 2 -m calotype train talbot --data photos/. Each of "
    "them takes batches of its own.",
    "At the end, the photographs to validate on are written as real files; see calotype validate.",
    "One decoded copy of the photographs is kept beside the run (3 bytes a pixel). Needs PyTorch: pip install "
    "calotype\\[train].",
)
VALIDATE_HELP = lesson(
    "Say what a training run has reached: real files at three qualities.",
    {"validate runs/talbot --data a/ --validation b/": "bits and PSNR"},
    "The last state is exported to a temporary folder, and whole photographs are encoded and decoded with it; "
    "tao2017 at both scales around JPEG. For ledig2017 they are scaled down and enlarged, beside bicubic. The "
    "photographs of --data calibrate the integer networks, those of --validation are measured.",
)
EXPORT_HELP = lesson(
    "Make the weights of a training run usable: a bundle that decodes without PyTorch.",
    {"export runs/talbot --data photos/ -o weights/talbot": "makes a bundle"},
    "CALOTYPE_WEIGHTS=weights lets Calotype find it. The photographs calibrate the integer networks. The float weights "
    "are written beside the state.",
)
Data = Annotated[str, typer.Option(metavar="SOURCE", help="Photographs: a folder, Parquet files, or a data set.")]
Megapixels = Annotated[
    float,
    typer.Option(metavar="M", min=0.01, help="Decode at most M megapixels of Parquet files and data sets."),
]
RunFolder = Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a training run.")]
RunRecipe = Annotated[
    str | None, typer.Option(metavar="RECIPE", help="Recipe. Default: the one that the run was trained with.")
]
State = Annotated[str, typer.Option(metavar="NAME", help="Name of the state in the folder of the run.")]
DEFAULT_STATE = "state.pt"
DEFAULT_MEGAPIXELS = 1000.0  # as in calotype.training.sources, which needs PyTorch


class Device(StrEnum):
    """Devices to compute on."""

    AUTO = "auto"
    CPU = "cpu"
    CUDA = "cuda"


def _need_torch() -> None:
    try:
        import onnx
        import safetensors
        import torch
    except ImportError as error:
        raise DependencyError(f"training needs {error.name}: pip install 'calotype[train]'") from error
    del onnx, safetensors, torch


@guarded
def train(
    recipe: Annotated[str, typer.Argument(metavar="RECIPE", help="The name of a recipe, or a .toml file.")],
    data: Data,
    run: Annotated[Path | None, typer.Option(metavar="FOLDER", help="State and log. Default: runs/RECIPE.")] = None,
    init: Annotated[
        Path | None,
        typer.Option(metavar="WEIGHTS", help="Weights to start from: the folder of a bundle, or a safetensors file."),
    ] = None,
    validation: Annotated[Path | None, typer.Option(metavar="FOLDER", help="Photographs to validate on.")] = None,
    hours: Annotated[
        float | None, typer.Option(metavar="H", help="Hours to train. Default: as the recipe says.")
    ] = None,
    threads: Annotated[
        int | None, typer.Option(metavar="N", min=1, max=64, help="Use N threads, 64 at most. Default: all cores.")
    ] = None,
    device: Annotated[Device, typer.Option(help="Where to compute; auto uses a GPU if there is one.")] = Device.AUTO,
    megapixels: Megapixels = DEFAULT_MEGAPIXELS,
    tensorboard: Annotated[
        bool, typer.Option("--tensorboard", help="Write the log for TensorBoard as well, into RUN/tensorboard.")
    ] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Start anew, even if there is a state.")] = False,
) -> None:
    """See :data:`TRAIN_HELP`."""
    _need_torch()
    import torch

    from ..training.ranks import together
    from ..training.run import Run

    wanted = Run(
        recipe, data, run or Path("runs") / Path(recipe).stem, megapixels, init, validation, hours, tensorboard, fresh
    )
    wanted.check()
    if threads:
        torch.set_num_threads(threads)
    with together(device.value) as ranks:
        wanted.train(ranks)


@guarded
def validate(
    run: RunFolder,
    data: Data,
    validation: Annotated[Path, typer.Option(metavar="FOLDER", help="Photographs to measure.")],
    recipe: RunRecipe = None,
    state: State = DEFAULT_STATE,
    megapixels: Megapixels = DEFAULT_MEGAPIXELS,
) -> None:
    """See :data:`VALIDATE_HELP`."""
    _need_torch()
    from ..training.data import find_pictures, readable
    from ..training.run import Trained

    judges = readable(find_pictures(validation))
    trained = Trained.open(run, state, recipe, data, megapixels)
    figures = trained.kind.judge(trained.state, trained.tables, trained.pictures, judges)
    if not any(figure.startswith("file_bpp@") for figure in figures):  # of no files, but of enlarged pictures
        for figure, value in figures.items():
            typer.echo(f"{figure:15} {value:5.2f} dB")
        return
    typer.echo("quality  bits/pixel  PSNR")
    for figure, bpp in figures.items():
        kind, _, quality = figure.partition("@")
        if kind == "file_bpp":
            typer.echo(f"{quality:>7}  {bpp:10.3f}  {figures[f'file_psnr@{quality}']:5.2f} dB")


@guarded
def export(
    run: RunFolder,
    data: Data,
    output: Annotated[
        Path,
        typer.Option("-o", "--output", metavar="FOLDER", help="Folder for the bundle; one that is there is replaced."),
    ],
    recipe: RunRecipe = None,
    state: State = DEFAULT_STATE,
    megapixels: Megapixels = DEFAULT_MEGAPIXELS,
) -> None:
    """See :data:`EXPORT_HELP`."""
    _need_torch()
    from ..training.progress import ProgressLine
    from ..training.run import Trained

    trained, line = Trained.open(run, state, recipe, data, megapixels), ProgressLine()
    try:
        digest = trained.kind.export(
            trained.state, trained.tables, trained.pictures, output,
            lambda done, total: line.count(done, total, f"exporting to {output}"),
        )  # fmt: skip
    finally:
        line.clear()
    typer.echo(f"{output}: {digest}")
