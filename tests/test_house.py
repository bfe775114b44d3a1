# SPDX-License-Identifier: BSD-3-Clause
"""The rules of the house: which room may import which, that names are defined once, and that lists say what is there.

The rooms are the files and folders directly inside ``calotype``, and one folder a codec inside ``codecs`` and
``training``. docs/architecture.md draws them.
"""

from __future__ import annotations

import ast
import importlib
import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest

import calotype

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "calotype"

# From the ground up. A room imports from the floors below its own, never from its own floor or above.
FLOORS: tuple[set[str], ...] = (
    {"errors", "version"},
    {"arguments", "arrays", "atomic", "container"},
    {"engine", "raster", "metrics"},
    {"codecs/base", "comparison", "networks"},
    {"codecs/rippel2017", "codecs/talbot", "codecs/tao2017", "codecs/toderici2017", "training"},
    {
        "codecs/*",
        "training/ledig2017",
        "training/mbt2018",
        "training/rippel2017",
        "training/talbot",
        "training/tao2017",
        "training/toderici2017",
    },
    {"training/cheng2017"},
    {"codecs", "training/kinds"},
    {"api", "training/run"},
    {"calotype", "data", "pillow", "training/series"},
    {"benchmark", "cluster", "desktop", "selftest", "view"},
    {"cli"},
    {"__main__"},
)
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
# A codec that builds on others, or on none, needs no line of its own.
OTHERS = FLOOR.pop("codecs/*")
FLOOR |= {
    codec: OTHERS
    for codec in (f"codecs/{entry.parent.name}" for entry in (PACKAGE / "codecs").glob("*/__init__.py"))
    if codec not in FLOOR
}
# The files that list or open all codecs stand above them: rooms of their own. What codecs share stands below them.
REGISTRIES = {
    "calotype.codecs": "codecs",
    "calotype.training.kinds": "training/kinds",
    "calotype.training.run": "training/run",
    "calotype.training.series": "training/series",
}
# High efforts refine latents by gradient descent, which takes PyTorch. Nothing else that encodes or decodes does.
DOOR = ("calotype.codecs.talbot.effort", "calotype.training.talbot.refinement")
LABORATORY = {"training", "networks"}  # the half that needs PyTorch
STUDIES = "calotype.benchmark.studies"  # experiments on that half


def named(path: Path) -> str:
    """``calotype/api/encode.py`` -> ``calotype.api.encode``."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


FILES = {named(path): path for path in sorted(PACKAGE.rglob("*.py"))}
TREES = {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in FILES.items()}


def room(module: str) -> str:
    """The room of a module."""
    if module in REGISTRIES:
        return REGISTRIES[module]
    _, *parts = module.split(".")
    if not parts:
        return "calotype"
    if parts[0] in ("codecs", "training") and len(parts) > 1 and (PACKAGE / parts[0] / parts[1]).is_dir():
        return "/".join(parts[:2])
    return "codecs/base" if parts[0] == "codecs" else parts[0]


def imports(module: str) -> Iterator[str]:
    """What a module imports, wherever in the file and for type checkers too; relative names in full."""
    package = module if FILES[module].name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(TREES[module]):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parts = package.split(".")
            start = parts[: len(parts) - node.level + 1] if node.level else []
            base = ".".join([*start, *filter(None, [node.module])])
            for alias in node.names:
                whole = f"{base}.{alias.name}"
                yield whole if whole in FILES else base


@cache
def graph() -> dict[str, set[str]]:
    """Module -> modules of the package, without the door."""
    return {
        module: {other for other in imports(module) if other in FILES and (module, other) != DOOR} for module in FILES
    }


@cache
def rooms() -> dict[str, set[str]]:
    """Room -> rooms that it imports from."""
    found: dict[str, set[str]] = {room(module): set() for module in FILES}
    for module, others in graph().items():
        found[room(module)] |= {room(other) for other in others} - {room(module)}
    return found


def circle(edges: Mapping[str, set[str]]) -> list[str]:
    """Nodes that lead back to themselves, in order; empty if there are none."""
    done: set[str] = set()

    def follow(node: str, path: list[str]) -> list[str]:
        if node in path:
            return [*path[path.index(node) :], node]
        if node in done:
            return []
        for other in sorted(edges.get(node, ())):
            if found := follow(other, [*path, node]):
                return found
        done.add(node)
        return []

    return next(filter(None, (follow(node, []) for node in sorted(edges))), [])


def test_circles_are_found() -> None:
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c", "b"]
    assert circle({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == []


def test_no_circle_of_files() -> None:
    assert not circle(graph())


def test_no_circle_of_rooms() -> None:
    assert not circle(rooms())


def test_each_room_has_a_floor() -> None:
    assert set(rooms()) == set(FLOOR)


def test_arrows_point_down() -> None:
    upwards = {f"{a} -> {b}" for a, others in rooms().items() for b in others if FLOOR[b] >= FLOOR[a]}
    assert not upwards


def is_codec_half(module: str) -> bool:
    return room(module).split("/")[0] not in LABORATORY and not module.startswith(STUDIES)


def test_the_codec_half_has_one_door_to_pytorch() -> None:
    doors = set()
    for module in filter(is_codec_half, FILES):
        for other in imports(module):
            if other.split(".")[0] in ("torch", "torchvision"):
                doors.add((module, other))
            if other in FILES and not is_codec_half(other):
                doors.add((module, other))
    assert {(module, other) for module, other in doors if module != "calotype.cli.train"} == {DOOR}


def test_heavy_imports_wait(tmp_path: Path) -> None:
    heavy = ("torch", "onnxruntime", "numpy", "PIL")
    script = f"import sys, calotype, calotype.cli; print([n for n in {heavy} if n in sys.modules])"
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    assert found.stdout.strip() == "[]"


def test_imports_are_relative() -> None:
    whole = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for module, path in FILES.items()
        for node in ast.walk(TREES[module])
        if (isinstance(node, ast.ImportFrom) and not node.level and (node.module or "").split(".")[0] == "calotype")
        or (isinstance(node, ast.Import) and any(alias.name.split(".")[0] == "calotype" for alias in node.names))
    ]
    assert not whole


def test_licence_lines() -> None:
    folders = [PACKAGE, ROOT / "tests", ROOT / "tools"]
    files = [path for folder in folders for path in folder.rglob("*.py")]
    assert len(files) > 200
    without = [path for path in files if not path.read_text(encoding="utf-8").startswith("# SPDX-License-Identifier: ")]
    assert not without


def without_encoding(call: ast.Call) -> bool:
    """Whether a call opens a text file in the encoding of whichever system it runs on."""
    if any(keyword.arg in ("encoding", None) for keyword in call.keywords):
        return False
    match call.func:
        case ast.Attribute(attr="read_text" | "write_text"):
            return True
        case ast.Name(id="open"):
            mode = [*call.args[1:2], *(keyword.value for keyword in call.keywords if keyword.arg == "mode")]
            return not (mode and isinstance(mode[0], ast.Constant) and "b" in mode[0].value)
    return False


def test_text_files_have_an_encoding() -> None:
    """Windows has another one than everybody else."""
    files = [*PACKAGE.rglob("*.py"), *(ROOT / "tests").rglob("*.py"), *(ROOT / "tools").glob("*.py")]
    for path in files:
        calls = [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
        assert not [call.lineno for call in calls if without_encoding(call)], path


def assigned(tree: ast.Module) -> Iterator[str]:
    """Names that a module defines at its top level, other than functions."""
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Assign):
            yield from (target.id for target in node.targets if isinstance(target, ast.Name))
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.target.id


@pytest.mark.parametrize("name", ["Samples", "Planes", "Progress"])
def test_arrays_are_defined_once(name: str) -> None:
    assert [module for module, tree in TREES.items() if name in assigned(tree)] == ["calotype.arrays"]


def test_one_name_one_thing() -> None:
    """Classes have different names; rooms of single codecs and papers may use the same term for the same idea."""
    shared = [m for m in FILES if "/" not in room(m) and room(m) != "networks" and not m.startswith(STUDIES)]
    shared += [m for m in FILES if room(m) == "codecs/base"]
    classes = [node.name for module in shared for node in TREES[module].body if isinstance(node, ast.ClassDef)]
    assert [name for name, count in Counter(classes).items() if count > 1 and name[0] != "_"] == []


def test_the_public_list_is_what_there_is() -> None:
    script = (
        "import calotype\n"
        "for name in calotype.__all__: getattr(calotype, name)\n"
        "public = {n for n in vars(calotype) if not n.startswith('_')}\n"
        "import types\n"
        "print(*sorted(n for n in public if not isinstance(vars(calotype)[n], types.ModuleType)))"
    )
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    allowed = {"TYPE_CHECKING", "Any"}
    assert set(found.stdout.split()) - allowed <= set(calotype.__all__)
    assert calotype.__all__ == sorted(calotype.__all__) and dir(calotype) == calotype.__all__
    for name in calotype.__all__:
        thing = getattr(calotype, name)
        assert name == "__version__" or (thing.__doc__ and thing.__name__ == name), name


def test_rooms_that_people_name_are_there() -> None:
    script = "import calotype; print(calotype.raster.load, calotype.container.Metadata, calotype.metrics.psnr)"
    subprocess.run([sys.executable, "-c", script], check=True, cwd=ROOT, stdout=subprocess.DEVNULL)


def test_modules_have_docstrings_and_import() -> None:
    assert [module for module, tree in TREES.items() if not ast.get_docstring(tree)] == []
    for module in filter(is_codec_half, FILES):
        if module not in ("calotype.__main__", "calotype.cli.train"):
            importlib.import_module(module)


@pytest.mark.parametrize("package", ["archive", "web"])
def test_every_package_has_the_licence(package: str) -> None:
    if not (ROOT / package).is_dir():
        pytest.skip("a source distribution is without it")
    assert (ROOT / package / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()


def test_changelog_and_versions_agree() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    released = re.findall(r"^## \[(\d+\.\d+\.\d+)\] - \d{4}-\d\d-\d\d$", text, re.M)
    unreleased = re.search(r"^## \[Unreleased\]\n\nTowards (\d+\.\d+\.\d+)", text, re.M)
    newest = unreleased[1] if unreleased else released[0]
    assert newest == calotype.__version__
    web = json.loads((ROOT / "web" / "package-lock.json").read_text(encoding="utf-8"))
    package = json.loads((ROOT / "web" / "package.json").read_text(encoding="utf-8"))
    assert {package["version"], web["version"], web["packages"][""]["version"]} == {calotype.__version__}
    assert released == sorted(released, key=lambda version: tuple(map(int, version.split("."))), reverse=True)
