# SPDX-License-Identifier: BSD-3-Clause
"""The setting at which a codec's file is as large as possible and not larger than a given size."""

from __future__ import annotations

from dataclasses import dataclass

from .contender import Contender, Picture


@dataclass(frozen=True)
class Fit:
    """The file that came closest."""

    setting: float
    data: bytes
    fits: bool  # False: even the codec's smallest file is above the limit, and this is it


def largest_within(codec: Contender, picture: Picture, limit: int) -> Fit:
    """Bisect the codec's range of settings for the largest file of at most ``limit`` bytes.

    A codec whose sizes do not grow with every step of its setting may have a slightly larger file that fits too.
    """
    low, high = 0, round((codec.highest - codec.lowest) / codec.step)

    def attempt(position: int) -> tuple[float, bytes]:
        setting = codec.lowest + position * codec.step
        return setting, codec.encode(picture, setting)

    setting, data = attempt(low)
    if len(data) > limit:
        return Fit(setting, data, fits=False)
    while low < high:
        middle = (low + high + 1) // 2
        tried, file = attempt(middle)
        if len(file) <= limit:
            low = middle
            if len(file) >= len(data):
                setting, data = tried, file
        else:
            high = middle - 1
    return Fit(setting, data, fits=True)
