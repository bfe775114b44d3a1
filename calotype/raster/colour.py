# SPDX-License-Identifier: BSD-3-Clause
"""Colour that is not told by a profile: code points (ITU-T H.273), chromaticities and gamma, and profiles made of them.

A profile that is made here is a matrix profile (ICC.1:2010, version 4.3): the primaries adapted to D50 by Bradford's
matrix, and a parametric curve. There is none for PQ and HLG, whose curves tell light in nits or of a scene.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..container import CodePoints

_D65, _DCI, _C, _E = (0.3127, 0.3290), (0.314, 0.351), (0.310, 0.316), (1 / 3, 1 / 3)
PRIMARIES = {  # by number: name; x and y of red, green, blue, white
    1: ("BT.709", 0.640, 0.330, 0.300, 0.600, 0.150, 0.060, *_D65),
    4: ("BT.470 M", 0.67, 0.33, 0.21, 0.71, 0.14, 0.08, *_C),
    5: ("BT.470 BG", 0.64, 0.33, 0.29, 0.60, 0.15, 0.06, *_D65),
    6: ("BT.601", 0.630, 0.340, 0.310, 0.595, 0.155, 0.070, *_D65),
    7: ("SMPTE 240M", 0.630, 0.340, 0.310, 0.595, 0.155, 0.070, *_D65),
    8: ("film", 0.681, 0.319, 0.243, 0.692, 0.145, 0.049, *_C),
    9: ("BT.2020", 0.708, 0.292, 0.170, 0.797, 0.131, 0.046, *_D65),
    10: ("XYZ", 1.0, 0.0, 0.0, 1.0, 0.0, 0.0, *_E),
    11: ("DCI P3", 0.680, 0.320, 0.265, 0.690, 0.150, 0.060, *_DCI),
    12: ("Display P3", 0.680, 0.320, 0.265, 0.690, 0.150, 0.060, *_D65),
    22: ("EBU 3213", 0.630, 0.340, 0.295, 0.605, 0.155, 0.077, *_D65),
}
_VIDEO = (1 / 0.45, 1 / 1.099, 0.099 / 1.099, 1 / 4.5, 0.081)
TRANSFERS: dict[int, tuple[str, tuple[float, ...] | None]] = {  # name; gamma, or g, a, b, c, d of ICC's curve 3
    1: ("BT.709", _VIDEO), 4: ("gamma 2.2", (2.2,)), 5: ("gamma 2.8", (2.8,)), 6: ("BT.601", _VIDEO),
    8: ("linear", (1.0,)), 13: ("sRGB", (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)),
    14: ("BT.2020", _VIDEO), 15: ("BT.2020", _VIDEO), 16: ("PQ", None), 17: ("gamma 2.6", (2.6,)), 18: ("HLG", None),
}  # fmt: skip
SRGB_TRANSFERS = (1, 2, 6, 13)  # viewers take the curves of video for sRGB's, and unspecified as well
_BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
_D50 = np.array([0.9642, 1.0, 0.8249])


def meaningful(primaries: int, transfer: int) -> CodePoints | None:
    """Code points; None if they mean sRGB or nothing."""
    if (primaries in (1, 2) and transfer in SRGB_TRANSFERS) or primaries > 255 or transfer > 255:
        return None
    return CodePoints(primaries, transfer)


def name(points: CodePoints) -> str:
    """What people call it: ``BT.2020, PQ``."""
    primaries = PRIMARIES[points.primaries][0] if points.primaries in PRIMARIES else f"primaries {points.primaries}"
    transfer = TRANSFERS[points.transfer][0] if points.transfer in TRANSFERS else f"transfer {points.transfer}"
    return f"{primaries}, {transfer}"


def profile(points: CodePoints, channels: int) -> bytes | None:
    """A colour profile for samples of 1 or 3 channels with these code points; None where no profile says the same."""
    primaries = PRIMARIES.get(1 if points.primaries == 2 else points.primaries)
    curve = TRANSFERS.get(13 if points.transfer == 2 else points.transfer, ("", None))[1]
    if primaries is None or curve is None:
        return None
    return matrix_profile(primaries[1:], curve, channels, name(points))


def declared(gamma: object, chromaticity: object, channels: int) -> bytes | None:
    """A profile for PNG's gAMA (1 / exponent) and cHRM (white, red, green, blue); None if they mean sRGB or nothing."""
    if not isinstance(gamma, float) or not 0.1 <= gamma <= 2:
        return None
    given = [float(v) for v in chromaticity] if isinstance(chromaticity, tuple | list) else []
    places = (*given[2:8], *given[:2]) if len(given) == 8 else PRIMARIES[1][1:]
    if abs(gamma - 1 / 2.2) < 0.005 and np.allclose(places, PRIMARIES[1][1:], atol=0.005):
        return None
    return matrix_profile(places, (1 / gamma,), channels, "PNG gAMA and cHRM")


def matrix_profile(places: Sequence[float], curve: Sequence[float], channels: int, text: str) -> bytes | None:
    """A profile of these primaries and white (x and y of each), and this curve; None if they span no colours."""
    if not all(0 <= v <= 1 for v in places) or min(places[1::2]) < 0 or places[7] <= 0:
        return None
    xyz = np.array([[x, y, 1 - x - y] for x, y in zip(places[::2], places[1::2], strict=True)])
    white = xyz[3] / xyz[3, 1]
    if abs(np.linalg.det(xyz[:3])) < 1e-6:
        return None
    columns = xyz[:3].T * np.linalg.solve(xyz[:3].T, white)
    adaptation = np.linalg.inv(_BRADFORD) @ np.diag(_BRADFORD @ _D50 / (_BRADFORD @ white)) @ _BRADFORD
    columns = adaptation @ columns
    tone = b"para\0\0\0\0" + struct.pack(">HH", 3 if len(curve) == 5 else 0, 0) + _fixed(curve)
    tags = {b"desc": _text(text), b"cprt": _text("no copyright"), b"wtpt": _xyz(_D50), b"chad": _matrix(adaptation)}
    if channels == 1:
        tags[b"kTRC"] = tone
    else:
        tags |= {key + b"XYZ": _xyz(column) for key, column in zip((b"r", b"g", b"b"), columns.T, strict=True)}
        tags |= {key + b"TRC": tone for key in (b"r", b"g", b"b")}
    return _assemble(tags, b"GRAY" if channels == 1 else b"RGB ")


def _assemble(tags: dict[bytes, bytes], space: bytes) -> bytes:
    places: dict[bytes, int] = {}  # equal contents stand once
    table, body, start = b"", b"", 128 + 4 + 12 * len(tags)
    for key, data in tags.items():
        if data not in places:
            places[data] = start + len(body)
            body += data + bytes(-len(data) % 4)
        table += key + struct.pack(">II", places[data], len(data))
    size = start + len(body)
    header = struct.pack(">I4sI4s4s4s", size, b"\0" * 4, 0x04300000, b"mntr", space, b"XYZ ")
    header += struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp" + bytes(28) + _fixed(_D50) + bytes(48)
    return header + struct.pack(">I", len(tags)) + table + body


def _fixed(values: Sequence[float] | NDArray[np.float64]) -> bytes:
    return b"".join(struct.pack(">i", round(float(value) * 65536)) for value in values)


def _xyz(values: NDArray[np.float64]) -> bytes:
    return b"XYZ \0\0\0\0" + _fixed(values)


def _matrix(values: NDArray[np.float64]) -> bytes:
    return b"sf32\0\0\0\0" + _fixed(values.reshape(-1))


def _text(text: str) -> bytes:
    data = text.encode("utf-16-be")
    return b"mluc\0\0\0\0" + struct.pack(">II2s2sII", 1, 12, b"en", b"US", len(data), 28) + data
