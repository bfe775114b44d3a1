# SPDX-License-Identifier: BSD-3-Clause
"""Put the results of the benchmark into README.md.

    python tools/readme.py            # after: calotype bench ... --out benchmarks/results
    python tools/readme.py --check    # change nothing; exit code 1 if README.md says something else

What stands between two marks in README.md is replaced: the headline, where it has marks, and the tables. The plot
that it shows becomes that of the first metric that has one.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
RESULTS, README = ROOT / "benchmarks" / "results", ROOT / "README.md"
BEGIN, END = "<!-- results:begin -->", "<!-- results:end -->"
HEADLINE_BEGIN, HEADLINE_END = "<!-- headline:begin -->", "<!-- headline:end -->"
PLOT = re.compile(r"benchmarks/results/plots/[a-z0-9-]+\.svg")
OURS = "talbot"  # how tables call it
LEAD = ("talbot-eye", "talbot-ms-ssim", "talbot")  # the curve of a default run is the first of these that was measured
TUNED = {"psnr": ("talbot-psnr", "talbot")}  # by metric: curves of its own --tune, shown beside the default one
# The order of the columns: what people see first.
METRICS = {
    "ssimulacra2": "SSIMULACRA 2",
    "butteraugli": "Butteraugli",
    "cvvdp": "ColorVideoVDP",
    "psnr-hvs": "PSNR-HVS",
    "ms-ssim": "MS-SSIM",
    "psnr": "PSNR",
}
RIVAL = "avif"  # AVIF as people get it
SETS = ("", "clic2025", "cid22")  # folders of results: Kodak lies at the top, others below


def load(results: Path, name: str) -> dict[str, Any]:
    """One of the result files."""
    values: dict[str, Any] = json.loads((results / name).read_text(encoding="utf-8"))
    return values


def folders_of(results: Path) -> list[Path]:
    """The folders of results that there are; Kodak's must be."""
    return [results, *(results / name for name in SETS if name and (results / name / "summary.json").is_file())]


def block(results: Path) -> str:
    """A table for each set of pictures, and the speeds, as Markdown."""
    parts = [explanation(), *(rates(folder) for folder in folders_of(results)), speeds(results), cores(results)]
    return "\n\n".join(part for part in parts if part)


def headline(folders: Sequence[Path]) -> str:
    """One sentence: bytes against AVIF on each set, by what people see."""
    said = []
    for folder in folders:
        bd = load(folder, "summary.json")["bd-rate"]
        found = []
        for metric in list(METRICS):
            matrix = bd.get(metric)
            if matrix is None or RIVAL not in matrix["anchors"] or len(found) == 2:
                continue
            value = matrix["per-picture"][lead(matrix)][matrix["anchors"].index(RIVAL)]
            if value is not None:
                found.append(f"{abs(value):.0f} % {'fewer' if value < 0 else 'more'} by {METRICS[metric]}")
        if found:
            said.append(f"on {data_set(folder).replace(', ', ' (')}) {' and '.join(found)}")
    if not said:
        return ""
    return f"**Bytes against AVIF at equal quality, as people get both: {'; '.join(said)}.**"


def explanation() -> str:
    """What the numbers of the tables are."""
    return (
        "BD-rates of real files, as the mean over the pictures, in brackets of the picture that fares worst; negative: "
        f"`{OURS}` needs fewer bytes than the codec on the left."
    )


def rates(folder: Path) -> str:
    """One set of pictures: a row for each opponent, a column for each metric."""
    summary = load(folder, "summary.json")
    matrices = {metric: summary["bd-rate"][metric] for metric in METRICS if metric in summary["bd-rate"]}
    columns = []  # title, matrix, curve
    for metric, matrix in matrices.items():
        columns.append((METRICS[metric], matrix, lead(matrix)))
        own = next((name for name in TUNED.get(metric, ()) if name in matrix["averaged"]), lead(matrix))
        if own != lead(matrix):
            columns.append((f"{METRICS[metric]}, `--tune {metric}`", matrix, own))
    anchors = next(iter(matrices.values()))["anchors"]
    peers = [name for name in anchors if not name.startswith(OURS) and (folder / f"{name}.json").is_file()]
    lines = [
        f"| {data_set(folder)}: against | {' | '.join(title for title, *_ in columns)} |",
        f"|---|{'--:|' * len(columns)}",
    ]
    for name in peers:
        cells = [cell(matrix, curve, matrix["anchors"].index(name)) for _, matrix, curve in columns]
        lines.append(f"| {title_of(folder, name)} | {' | '.join(cells)} |")
    return "\n".join(lines)


def speeds(folder: Path) -> str:
    """How fast all of them are, where that was measured."""
    summary = load(folder, "summary.json")
    made, speeds = summary["provenance"], summary["speed"]
    default = next((name for name in LEAD if name in speeds), None)
    if default is None:
        return ""
    weights = load(folder, f"{default}.json")["provenance"]["versions"]["weights"]
    lines = [
        f"Megapixels a second on one thread at {speeds[default]['bpp']:.1f} bits per pixel, and how many times as fast "
        f"`{OURS}` is ({made['processor']}, {made['date']}, weights {weights}):",
        "",
        "| | encode | | decode | |",
        "|---|--:|--:|--:|--:|",
        f"| **`{OURS}`** | **{rate(speeds[default]['encode_mps'])}** | | **{rate(speeds[default]['decode_mps'])}** | |",
    ]
    for name in speeds:
        if name.startswith(OURS):
            continue
        cells = []
        for direction in ("encode_mps", "decode_mps"):
            theirs = speeds[name][direction]
            cells += [rate(theirs), f"× {speeds[default][direction] / theirs:.2f}"]
        lines.append(f"| {title_of(folder, name)} | {' | '.join(cells)} |")
    return "\n".join(lines)


def cores(folder: Path) -> str:
    """A large photograph and small pictures, one thread and all cores, where ``calotype bench --speed`` was run."""
    if not (folder / "cores.json").is_file():
        return ""
    found = load(folder, "cores.json")
    made, first, peer = found["provenance"], found["region"], found["peer"]
    lines = [
        f"`{OURS}` on one thread and on all cores, megapixels a second ({made['processor']}, "
        f"{made['instructions'] or 'unknown instruction set'}, {made['date']}):",
        "",
        "| | threads | bits per pixel | encode | decode |",
        "|---|--:|--:|--:|--:|",
    ]
    for row in found["speeds"]:
        count = f"{row['pictures']} x " if row["pictures"] > 1 else ""
        size = row["megapixels"] / row["pictures"]
        title = f"{row['what']}, {count}{rate(size)} megapixels"
        numbers = (row["threads"], f"{row['bpp']:.2f}", f"{row['encode_mps']:.1f}", f"{row['decode_mps']:.1f}")
        lines.append(f"| {title} | {' | '.join(map(str, numbers))} |")
    lines += [
        "",
        f"A region of {first['side']} x {first['side']} pixels of it is there after {first['seconds']:.2f} s. "
        f"A megapixel of that photograph is encoded on one thread {peer['times_as_fast']:.1f} times as fast as by "
        f"{peer['description'].split(';')[0]}.",
    ]
    return "\n".join(lines)


def lead(matrix: dict[str, Any]) -> str:
    """Whose curve stands for a default run."""
    return next((name for name in LEAD if name in matrix["averaged"]), OURS)


def data_set(folder: Path) -> str:
    """The pictures, as in "Kodak, 24 pictures"."""
    return str(load(folder, "summary.json")["description"]).removesuffix(", real files")


def title_of(folder: Path, name: str) -> str:
    """A codec with its settings."""
    return str(load(folder, f"{name}.json")["description"]).split(";")[0]


def cell(matrix: dict[str, Any], curve: str, column: int) -> str:
    """The mean over the pictures, and the worst of them where it is known."""
    worst = matrix.get("worst", {}).get(curve)
    mean = percent(matrix["per-picture"][curve][column])
    return mean if worst is None or worst[column] is None else f"{mean} ({worst[column]:+.0f})".replace("-", "−")


def percent(value: float | None) -> str:
    """With its sign, and a real minus."""
    return "–" if value is None else f"{value:+.1f} %".replace("-", "−")


def rate(value: float) -> str:
    """Two or three digits."""
    return f"{value:.0f}" if value >= 20 else f"{value:.1f}"


def filled(text: str, content: str, begin: str = BEGIN, end: str = END) -> str:
    """The README with new content between its marks. Raises ValueError if they are not there once each, in order."""
    head, found, rest = text.partition(begin)
    _, closed, tail = rest.partition(end)
    if not found or not closed or begin in rest or end in tail:
        raise ValueError(f"the README must hold {begin} and {end} once, in this order")
    return f"{head}{begin}\n{content}\n{end}{tail}"


def with_results(text: str, results: Path) -> str:
    """The README with headline, plot and tables as the results say."""
    if HEADLINE_BEGIN in text:
        text = filled(text, headline(folders_of(results)), HEADLINE_BEGIN, HEADLINE_END)
    plot = next((metric for metric in METRICS if (results / "plots" / f"{metric}.svg").is_file()), None)
    if plot:
        text = PLOT.sub(f"benchmarks/results/plots/{plot}.svg", text)
    return filled(text, block(results))


def main(argv: Sequence[str] | None = None) -> int:
    """Fill or check; 1 if something is missing or differs."""
    parser = argparse.ArgumentParser(description="Put the results of the benchmark into README.md.")
    parser.add_argument("--check", action="store_true", help="change nothing; exit with 1 if something differs")
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--readme", type=Path, default=README)
    options = parser.parse_args(argv)
    try:
        text = options.readme.read_text(encoding="utf-8")
        wanted = with_results(text, options.results)
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
