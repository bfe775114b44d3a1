# SPDX-License-Identifier: BSD-3-Clause
"""Put the options of the codecs, as they declare them, into docs/codecs.md.

    python tools/codec_options.py            # after a codec's entry or options have changed
    python tools/codec_options.py --check    # change nothing; exit code 1 if the page says something else

What stands between the two marks is replaced.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from calotype import codecs  # noqa: E402

PAGE = ROOT / "docs" / "codecs.md"
BEGIN, END = "<!-- codecs:begin -->", "<!-- codecs:end -->"


def block() -> str:
    """A section for each codec of the package, as Markdown."""
    lines = []
    for entry in codecs.own():
        lines += [f"## {entry.id}", "", f"{entry.title[0].upper()}{entry.title[1:]}. After: {entry.paper}.", ""]
        lines += ["| option | command line | values | default | |", "|---|---|---|---|---|"]
        for option in entry.takes:
            cells = (f"`{option.name}`", f"`{option.flag}`", option.values, option.shown, option.help)
            lines.append(f"| {' | '.join(cells)} |")
        lines.append("")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line; 0, or 1 if the page is out of date and only checked."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--check", action="store_true", help="change nothing")
    check = parser.parse_args(arguments).check
    page = PAGE.read_text(encoding="utf-8")
    before, rest = page.split(BEGIN)
    after = rest.split(END)[1]
    made = f"{before}{BEGIN}\n{block()}{END}{after}"
    if check and made != page:
        print(f"{PAGE.relative_to(ROOT)} is out of date: run python tools/codec_options.py", file=sys.stderr)
        return 1
    if made != page:
        PAGE.write_text(made, encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
