# SPDX-License-Identifier: BSD-3-Clause
"""Put the results of the benchmark into README.md.

    python tools/readme.py            # after: calotype bench ... --out benchmarks/results
    python tools/readme.py --check    # change nothing; exit code 1 if README.md says something else

What stands between the two marks in README.md is replaced.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
RESULTS, README = ROOT / "benchmarks" / "results", ROOT / "README.md"
BEGIN, END = "<!-- results:begin -->", "<!-- results:end -->"
OURS = "talbot"
METRICS = {"psnr": "PSNR", "ms-ssim": "MS-SSIM"}
TUNED = {"ms-ssim": "talbot-ms-ssim"}  # by metric: whose curve is shown, where it was measured


def load(results: Path, name: str) -> dict[str, Any]:
    """One of the result files."""
    values: dict[str, Any] = json.loads((results / name).read_text(encoding="utf-8"))
    return values


def block(results: Path) -> str:
    """The table, as Markdown."""
    summary, ours = load(results, "summary.json"), load(results, f"{OURS}.json")
    matrices = {metric: summary["bd-rate"][metric] for metric in METRICS}
    shown = {metric: tuned(metric, matrix) for metric, matrix in matrices.items()}
    peers = [name for name in summary["speed"] if name not in {OURS, *shown.values()}]
    titles = {name: load(results, f"{name}.json")["description"].split(";")[0] for name in peers}
    lines = [
        f"Bytes of `{OURS}` at equal quality (BD-rate over {ours['description'].split(';')[1].strip()}; negative: "
        f"`{OURS}` needs fewer), of the averaged curves and as the mean of the single pictures"
        + (", each metric with its own `--tune`:" if set(shown.values()) != {OURS} else ":"),
        "",
        f"| against | {' | '.join(f'{title}, averaged | {title}, per picture' for title in METRICS.values())} |",
        f"|---|{'--:|' * 2 * len(METRICS)}",
    ]
    for name in peers:
        cells = []
        for metric, matrix in matrices.items():
            column = matrix["anchors"].index(name)
            cells += [percent(matrix[kind][shown[metric]][column]) for kind in ("averaged", "per-picture")]
        lines.append(f"| {titles[name]} | {' | '.join(cells)} |")
    made, speeds = summary["provenance"], summary["speed"]
    lines += [
        "",
        f"Megapixels a second on one thread at {speeds[OURS]['bpp']:.1f} bits per pixel, and how many times as fast "
        f"`{OURS}` is ({made['processor']}, {made['date']}, weights {ours['provenance']['versions']['weights']}):",
        "",
        "| | encode | | decode | |",
        "|---|--:|--:|--:|--:|",
        f"| **`{OURS}`** | **{rate(speeds[OURS]['encode_mps'])}** | | **{rate(speeds[OURS]['decode_mps'])}** | |",
    ]
    for name in peers:
        cells = []
        for direction in ("encode_mps", "decode_mps"):
            theirs = speeds[name][direction]
            cells += [rate(theirs), f"× {speeds[OURS][direction] / theirs:.2f}"]
        lines.append(f"| {titles[name]} | {' | '.join(cells)} |")
    return "\n".join(lines)


def tuned(metric: str, matrix: dict[str, Any]) -> str:
    """Whose curve to show."""
    name = TUNED.get(metric, OURS)
    return name if name in matrix["averaged"] else OURS


def percent(value: float | None) -> str:
    """With its sign, and a real minus."""
    return "–" if value is None else f"{value:+.1f} %".replace("-", "−")


def rate(value: float) -> str:
    """Two or three digits."""
    return f"{value:.0f}" if value >= 20 else f"{value:.1f}"


def filled(text: str, content: str) -> str:
    """The README with new content between its marks. Raises ValueError if they are not there once each, in order."""
    head, begin, rest = text.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end or BEGIN in rest or END in tail:
        raise ValueError(f"the README must hold {BEGIN} and {END} once, in this order")
    return f"{head}{BEGIN}\n{content}\n{END}{tail}"


def main(argv: Sequence[str] | None = None) -> int:
    """Fill or check; 1 if something is missing or differs."""
    parser = argparse.ArgumentParser(description="Put the results of the benchmark into README.md.")
    parser.add_argument("--check", action="store_true", help="change nothing; exit with 1 if something differs")
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--readme", type=Path, default=README)
    options = parser.parse_args(argv)
    try:
        text = options.readme.read_text(encoding="utf-8")
        wanted = filled(text, block(options.results))
    except (OSError, KeyError, ValueError) as error:
        print(f"readme: {error}; run calotype bench --out {options.results} first", file=sys.stderr)
        return 1
    if options.check:
        if wanted != text:
            print(f"readme: {options.readme.name} is not as the results say; run tools/readme.py", file=sys.stderr)
        return int(wanted != text)
    options.readme.write_text(wanted, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
