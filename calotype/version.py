# SPDX-License-Identifier: BSD-3-Clause
"""The version of the package; the version of the file format is in :mod:`calotype.container`."""

__version__ = "1.1.0"
