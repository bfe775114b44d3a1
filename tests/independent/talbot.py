# SPDX-License-Identifier: BSD-3-Clause
"""Codecs ``talbot`` and ``ledig2017``."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from . import stills
from .bundle import Weights, planes, samples
from .container import File, need, places
from .rans import Array, Stream


def phases(x: Array) -> list[Array]:
    return [x[..., i::2, j::2] for i in (0, 1) for j in (0, 1)]


def joined(parts: list[Array]) -> Array:
    rows, columns = parts[0].shape[-2:]
    out = np.empty((*parts[0].shape[:-2], 2 * rows, 2 * columns), parts[0].dtype)
    for target, part in zip(phases(out), parts, strict=True):
        target[...] = part
    return out


def latents(payload: bytes, coded: Array, quality: int, weights: Weights) -> Array:
    """Latents of one tile; ``coded (h, w)`` says where they are not only predicted."""
    tables = weights.arrays
    stream = Stream(payload[2:], tables["limits"], tables["frequencies"])
    h, w = coded.shape
    inside = np.pad(coded[None], ((0, 0), (0, -h % 8), (0, -w % 8)))
    z_inside = phases(inside[:, ::4, ::4])
    y_inside = phases(inside)
    a_inside = phases(y_inside[0])

    def stage(predicted: list[Array], parts: list[Array], steps: Array) -> Array:
        means, levels = predicted
        channels = len(means) // len(parts)
        levels = np.where(np.repeat(np.concatenate(parts), channels, 0), levels, 0)
        steps = np.tile(steps.astype(np.float32), len(parts))[:, None, None]
        return means + stream.read(levels).astype(np.float32) * steps

    p = round((quality / 256 - 1) / 99 * 65536)
    plane = np.full((1, *inside[0, ::4, ::4].shape), ((256 * p + 32768) // 65536 - 128) / 128, np.float32)
    row = tables["z_levels"][(255 * p + 32768) // 65536][:, None, None]
    ones = np.ones(len(row))
    z1 = stage([np.zeros((len(row), *z_inside[0].shape[1:]), np.float32), row], z_inside[:1], ones)
    z2 = stage(weights.run("z_pass", plane[:, ::2, ::2], z1), z_inside[1:], ones)
    f64, f32 = weights.run("h_s", joined([z1, *np.split(z2, 3)]), plane)
    s1, s2, s3, s4 = tables["steps"]
    y1 = stage(weights.run("pass1", f64), a_inside[:1], s1)
    a = joined([y1, *np.split(stage(weights.run("pass2", f64, y1), a_inside[1:], s2), 3)])
    d = stage(weights.run("pass3", f32, a), y_inside[3:], s3)
    b_c = stage(weights.run("pass4", f32, a, d), y_inside[1:3], s4)
    stream.finish()
    need(payload[:2] == (stream.check() & 0xFFFF).to_bytes(2, "little"), "check of the symbols")
    return joined([a, *np.split(b_c, 2), d])[:, :h, :w]


def decode(file: File, folders: list[Path], tiles: list[bytes], bundle: bytes, height: int, width: int) -> Array:
    """Samples of a picture of that size."""
    weights = Weights(folders, bundle)
    inside = np.ones((-(-height // 16), -(-width // 16)), bool)
    y = np.zeros((weights.arrays["steps"].shape[1], *inside.shape), np.float32)
    found = []
    for payload, place, area in zip(tiles, places(*inside.shape, 64), places(height, width, 1024), strict=True):
        if file.codec == "talbot-stills" and len(payload) % 4 == 0:
            payload, inside[place], still = stills.split(payload, file, *(s.stop - s.start for s in area))
            found.append((area, still))
        if inside[place].any():
            y[:, *place] = latents(payload, inside[place], file.quality, weights)
    table = weights.arrays["gain_decoder"]
    at = (file.quality / 256 - 1) / 99 * (len(table) - 1)
    gains = [np.interp(at, range(len(table)), column) for column in table.T]
    y *= np.exp(np.array(gains, np.float32))[:, None, None]
    out = samples(stills.synthesis(weights, y, inside) if found else weights.run("g_s", y)[0], file, height, width)
    theirs = ~inside.repeat(16, 0).repeat(16, 1)[:height, :width]
    for area, still in found:
        out[area][theirs[area]] = still.reshape(out[area].shape)[theirs[area]]
    return out


def decode_ledig2017(file: File, folders: list[Path]) -> Array:
    weights = Weights(folders, file.bundle)
    scale, stride = weights.configuration["scale"], weights.configuration["stride"]
    need(file.side == 1024 * scale and len({tile[:4] for tile in file.tiles}) == 1, "tiles")
    height, width = -(-file.height // scale), -(-file.width // scale)
    small = decode(file, folders, [tile[4:] for tile in file.tiles], file.tiles[0][:4], height, width)
    return samples(weights.run("generator", planes(small, stride))[0], file, file.height, file.width)
