# SPDX-License-Identifier: BSD-3-Clause
"""Puts what browsers need, ``web/``, into the package; all else stands in pyproject.toml."""

from pathlib import Path
from shutil import copyfile, copytree

from setuptools import setup
from setuptools.command.build_py import build_py


class BuildWithWeb(build_py):
    """Copies scripts, pages and engine to ``calotype/view/web``. In the repository they are found where they are."""

    def run(self) -> None:
        """Build, and copy."""
        super().run()
        if self.editable_mode:
            return
        source, target = Path(__file__).parent / "web", Path(self.build_lib) / "calotype" / "view" / "web"
        for part in ("src", "demo"):
            copytree(source / part, target / part, dirs_exist_ok=True)
        for name in ("index.html", "service-worker.js"):
            copyfile(source / name, target / name)


setup(cmdclass={"build_py": BuildWithWeb})
