# SPDX-License-Identifier: BSD-3-Clause
"""A decoder written from docs/format.md alone: it imports nothing of the product, and shows that the page is enough.

What it lacks is what a decoder may lack: it takes damage for an error, and does not look at a picture in parts.
"""
