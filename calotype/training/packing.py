# SPDX-License-Identifier: BSD-3-Clause
"""Photographs packed into a few files, to take them to another machine; and back.

    python -m calotype.training.packing pack photos/ packed/ --megabytes 24
    python -m calotype.training.packing unpack packed/ photos/

The files are plain tar archives of the photographs' own files, byte for byte and in order, none larger than asked for:
``for file in packed/*.tar; do tar -xf "$file" -C photos/; done`` unpacks them as well.
"""

from __future__ import annotations

import argparse
import sys
import tarfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from ..atomic import atomic
from ..errors import CalotypeError
from .data import find_pictures

MEGABYTES = 24.0  # of 10^6 bytes: what most places accept as one file
NAME = "photos-{:03}.tar"
BLOCK, RECORD = 512, 10240  # bytes: a member's header and content fill blocks, an archive fills records


def pack(folder: Path, out: Path, largest: int) -> list[Path]:
    """Pack the photographs below ``folder`` into ``out``; returns the archives.

    Raises:
        CalotypeError: there are no photographs, one is larger than an archive may be, or ``out`` holds archives.
    """
    if any(out.glob("*.tar")):
        raise CalotypeError(f"{out} holds archives: name a new folder")
    archives: list[Path] = []
    for files in list(shared_out(find_pictures(folder), largest)):  # all are looked at before one is written
        out.mkdir(parents=True, exist_ok=True)
        archives.append(out / NAME.format(len(archives)))
        with atomic(archives[-1]) as stream, tarfile.open(fileobj=stream, mode="w", format=tarfile.USTAR_FORMAT) as tar:
            for file in files:
                with open(file, "rb") as content:
                    tar.addfile(member(folder, file), content)
    return archives


def member(folder: Path, file: Path) -> tarfile.TarInfo:
    """What an archive says of a photograph: name and size. Nothing of the machine, so that archives are repeatable."""
    info = tarfile.TarInfo(file.relative_to(folder).as_posix())
    info.size = file.stat().st_size
    return info


def shared_out(files: Sequence[Path], largest: int) -> Iterator[list[Path]]:
    """Files in order, as many together as an archive of ``largest`` bytes holds."""
    batch: list[Path] = []
    total = end = 2 * BLOCK
    for file in files:
        size = BLOCK + -(-file.stat().st_size // BLOCK) * BLOCK
        if rounded(end + size) > largest:
            raise CalotypeError(f"{file} does not fit into an archive of {largest / 1e6:g} MB: allow larger ones")
        if batch and rounded(total + size) > largest:
            yield batch
            batch, total = [], end
        batch.append(file)
        total += size
    yield batch


def rounded(size: int) -> int:
    """Bytes of an archive whose blocks have ``size``."""
    return -(-size // RECORD) * RECORD


def unpack(packed: Path, folder: Path) -> int:
    """Unpack the archives in ``packed`` into ``folder``, which is new or empty; returns the number of photographs.

    Raises:
        CalotypeError: there are no archives, one cannot be read, or ``folder`` holds something.
    """
    archives = sorted(packed.glob("*.tar"))
    if not archives:
        raise CalotypeError(f"there are no archives (.tar) in {packed}")
    if folder.exists() and any(folder.iterdir()):
        raise CalotypeError(f"{folder} is not empty: name a new folder")
    folder.mkdir(parents=True, exist_ok=True)
    for archive in archives:
        try:
            with tarfile.open(archive, "r:") as tar:
                tar.extractall(folder, filter="data")  # refuses whatever would lie outside the folder
        except (tarfile.TarError, OSError) as error:
            raise CalotypeError(f"{archive} cannot be unpacked: {error}") from error
    return len(find_pictures(folder))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line; 1 with a sentence on error."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    packing = commands.add_parser("pack", help="photographs -> archives")
    packing.add_argument("folder", type=Path, help="photographs, with all folders in it")
    packing.add_argument("out", type=Path, help="folder of the archives")
    packing.add_argument("--megabytes", type=float, default=MEGABYTES, help="the most an archive has, of 10^6 bytes")
    unpacking = commands.add_parser("unpack", help="archives -> photographs")
    unpacking.add_argument("packed", type=Path, help="folder of the archives")
    unpacking.add_argument("folder", type=Path, help="a new folder for the photographs")
    options = parser.parse_args(arguments)
    try:
        if options.command == "pack":
            archives = pack(options.folder, options.out, int(options.megabytes * 1e6))
            sizes = sum(archive.stat().st_size for archive in archives) / 1e6
            print(f"{len(archives)} archives, {sizes:.1f} megabytes, in {options.out}")
        else:
            print(f"{unpack(options.packed, options.folder)} photographs in {options.folder}")
    except CalotypeError as error:
        print(f"packing: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
