# SPDX-License-Identifier: BSD-3-Clause
"""Picture files inside tiles: written by the libraries that are there, and read within bounds."""
