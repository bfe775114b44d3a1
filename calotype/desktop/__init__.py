# SPDX-License-Identifier: BSD-3-Clause
"""``calotype desktop``: file managers of Linux desktops know ``.calo`` files, show thumbnails, and open the album."""
