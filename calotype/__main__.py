# SPDX-License-Identifier: BSD-3-Clause
"""``python -m calotype``: the command line."""

from __future__ import annotations

from .cli import main

if __name__ == "__main__":
    main()
