# SPDX-License-Identifier: BSD-3-Clause
"""Signature, version and limits of the format. It imports nothing."""

EXTENSION = ".calo"
SIGNATURE = b"\x89CALO\r\n"
VERSION = 1

MAX_SIDE = 65_535  # pixels; the header holds 16 bits
MAX_PIXELS = 2**28  # 268 megapixels: a decoder may allocate 6 bytes for each of them
SMALLEST_TILE, LARGEST_TILE = 64, 32_768  # pixels, powers of two
MAX_TILES = 66_560  # follows: the most tiles of 64 x 64 that a picture within MAX_SIDE and MAX_PIXELS can have
MAX_LAYERS = 255  # and layers times tiles are at most MAX_TILES
MAX_BOX = 2**28 - 1  # bytes of payload: 4 bytes of LEB128
MAX_METADATA = 2**24  # bytes of one profile, EXIF or XMP, deflated as well as inflated
MAX_UNKNOWN_BOXES = 1024  # in a file: nobody needs more, and skipping them takes time
MAX_TEXTS = 65_536  # keys of a text that are read: millions of empty ones fit into MAX_METADATA, and fill the memory
