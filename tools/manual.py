# SPDX-License-Identifier: BSD-3-Clause
"""Make the manual page and the shell completions in ``share/``, which the wheel installs.

python tools/manual.py            # after a command, an option or a help text has changed
python tools/manual.py --check    # change nothing; exit code 1 if something is out of date
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import typer
from typer import completion

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from calotype.cli import app  # noqa: E402
from calotype.version import __version__  # noqa: E402

SHARE = ROOT / "share"
# The script says what completes from then on; but zsh loads a file of its folders at the first Tab, to complete that.
FIRST_TAB = 'if [[ $funcstack[1] == _calotype ]]; then\n  _calotype_completion "$@"\nfi\n'
SHELLS = {"bash": "calotype.bash", "zsh": "_calotype", "fish": "calotype.fish"}
EXIT = {"0": "all went well", "1": "a file failed", "2": "wrong usage", "130": "interrupted"}


def escaped(text: str) -> str:
    """Text for roff: backslashes, minus signs, and what would be a request at the start of a line."""
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("\u2212", "\\-")
    return "\n".join("\\&" + line if line.startswith((".", "'")) else line for line in text.splitlines())


def plain(text: str) -> str:
    """Help text without Rich's markup."""
    return re.sub(r"\[/?(?:bold|dim|italic)\]", "", text).replace("\\[", "[")


def paragraphs(text: str) -> Iterator[str]:
    """A help text as roff: paragraphs, and examples line by line."""
    for part in plain(text).strip().split("\n\n"):
        if part.startswith("\b"):
            title, *lines = part.removeprefix("\b").strip("\n").splitlines()
            yield (
                f".PP\n{escaped(title)}:\n.RS 4\n.nf\n"
                + escaped("\n".join(line.strip() for line in lines))
                + "\n.fi\n.RE"
            )
        else:
            yield ".PP\n" + escaped(" ".join(part.split()))


def option(parameter: Any) -> str:
    """One option or argument as a tagged paragraph."""
    value = f"\\fI{escaped(parameter.metavar or parameter.name.upper())}\\fR"
    if parameter.param_type_name == "argument":
        name = value
    else:
        name = ", ".join(f"\\fB{escaped(name)}\\fR" for name in (*parameter.opts, *parameter.secondary_opts))
        name = name if parameter.is_flag else f"{name} {value}"
    return f".TP\n{name}\n{escaped(plain(parameter.help or ''))}"


def parameters(command: Any) -> list[str]:
    """The options of a command, in its order; those that Typer adds by itself are left out."""
    return [option(p) for p in command.params if not getattr(p, "hidden", False) and "completion" not in p.name]


def manual() -> str:
    """The page, in roff."""
    group: Any = typer.main.get_command(app)
    lines = [
        '.\\" SPDX-License-Identifier: BSD-3-Clause',
        '.\\" Made by tools/manual.py',
        f'.TH CALOTYPE 1 "" "Calotype {__version__}" "User Commands"',
        ".SH NAME",
        "calotype \\- make photographs small with neural networks",
        ".SH SYNOPSIS",
        ".B calotype\n.I COMMAND\n[\\fIOPTIONS\\fR] \\fIINPUT\\fR...",
        ".SH DESCRIPTION",
        *paragraphs(group.help),
        ".SH OPTIONS",
        *parameters(group),
        ".SH COMMANDS",
    ]
    for name, command in group.commands.items():
        lines += [f".SS calotype {name}", *paragraphs(command.help), *parameters(command)]
    lines += [
        ".SH ENVIRONMENT",
        ".TP\n\\fBCALOTYPE_WEIGHTS\\fR\nFolders with bundles of weights besides those that ship, separated like PATH.",
        ".TP\n\\fBCALOTYPE_TRACEBACK\\fR\nIf set, an unexpected error shows where it came from.",
        ".SH EXIT STATUS",
        *(f".TP\n{code}\n{meaning}" for code, meaning in EXIT.items()),
    ]
    return "\n".join(lines) + "\n"


def generated() -> dict[str, str]:
    """Every file of ``share/`` and what it should hold."""
    files = {"calotype.1": manual()}
    for shell, name in SHELLS.items():
        script = completion.get_completion_script(
            prog_name="calotype", complete_var="_CALOTYPE_COMPLETE", shell=shell
        ).strip()
        files[name] = script + "\n" + (FIRST_TAB if shell == "zsh" else "")
    return files


def main(argv: Sequence[str] | None = None) -> int:
    """Make or check; 1 if something is out of date."""
    parser = argparse.ArgumentParser(description="Make the manual page and the shell completions.")
    parser.add_argument("--check", action="store_true", help="change nothing; exit with 1 if something is out of date")
    check = parser.parse_args(argv).check
    stale = []
    for name, text in generated().items():
        path = SHARE / name
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            stale.append(name)
            if not check:
                path.parent.mkdir(exist_ok=True)
                path.write_text(text, encoding="utf-8", newline="\n")
    if check and stale:
        print(f"manual: out of date: {', '.join(stale)}; run tools/manual.py", file=sys.stderr)
    return int(check and bool(stale))


if __name__ == "__main__":
    sys.exit(main())
