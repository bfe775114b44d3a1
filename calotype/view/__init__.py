# SPDX-License-Identifier: BSD-3-Clause
"""``calotype view``: a folder of pictures as an album in the browser, served to this machine alone, read only."""
