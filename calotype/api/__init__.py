# SPDX-License-Identifier: BSD-3-Clause
"""The verbs of :mod:`calotype`, one a file."""
