# SPDX-License-Identifier: BSD-3-Clause
"""Pictures beside their original: brought to one form, measured, and shown.

alike        two pictures of different kinds made comparable
outcome      one picture measured against the original
listing      the outcomes as JSON and CSV
difference   a sheet with both pictures and an amplified map of their differences
page         a web page with a slider over the pictures
"""

from __future__ import annotations
