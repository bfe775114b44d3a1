# SPDX-License-Identifier: BSD-3-Clause
"""Training of ``mbt2018``, a serial context for the latents of ``talbot``."""
