# SPDX-License-Identifier: BSD-3-Clause
"""One HTML page with everything: plots, tables that sort, provenance, and pictures to compare.

The page holds all that it shows and asks nothing of a network; its own security policy forbids it to.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from importlib import resources

from ...metrics.catalogue import NAMED
from ..compare import Comparison, Points
from ..curves import provenance
from ..plots import COLOURS
from ..run import Results
from ..samples import to_json

LITTLE_OVERLAP = 0.5  # below this share a delta rate rests on a part of the curves only
PALE = 60  # per cent at which a cell of the matrix has its full colour


def report(outcome: Results, drawings: Mapping[str, str]) -> str:
    """The page; ``drawings`` are plots as SVG, by the name of the metric."""
    plan = outcome.plan
    made = provenance()
    about = f"{len(plan.photographs)} pictures, {made['date']}, {made['processor'] or made['system']}, one thread"
    if plan.jobs > 1:
        about = about.replace("one thread", "several at a time; only the table of speeds is timed")
    parts = {
        "TITLE": escape(f"Image codecs on {plan.data_set}"),
        "ABOUT": escape(about),
        "REMARK": f'<p class="remark">{escape(outcome.remark)}</p>' if outcome.remark else "",
        "STYLE": part("report.css"),
        "VIEWER": viewer(outcome),
        "PLOTS": plots(drawings),
        "MATRICES": matrices(outcome),
        "SPEED": speed(outcome),
        "POINTS": points(outcome),
        "CODECS": codecs(outcome),
        "PUBLISHED": published(outcome),
        "PROVENANCE": facts(made),
        "DATA": data(outcome),
        "SCRIPT": part("report.js"),
    }
    pieces = part("report.html").split("@@")  # text, NAME, text, NAME, ..., text
    return "".join(parts[piece] if index % 2 else piece for index, piece in enumerate(pieces))


def part(name: str) -> str:
    """A file of this folder."""
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")


def data(outcome: Results) -> str:
    """Data for the script, as JSON that cannot end its element."""
    plan = outcome.plan
    content = {
        "exhibits": to_json(outcome.exhibits),
        "metrics": [{"column": m.key, "title": m.title, "digits": m.digits} for m in plan.metrics],
        "colours": {codec.name: COLOURS.get(codec.name, "#444444") for codec in plan.codecs},
    }
    return json.dumps(content, separators=(",", ":")).replace("<", "\\u003c")


def viewer(outcome: Results) -> str:
    """The pictures, if there are any."""
    if not outcome.exhibits:
        return ""
    plan = outcome.plan
    first = outcome.exhibits[0]
    what = "whole pictures"
    if any((item.part.width, item.part.height) != (item.width, item.height) for item in outcome.exhibits):
        what = f"of each the {first.part.width} x {first.part.height} pixels with the most detail in the original"
    note = (
        f"{len(outcome.exhibits)} of {len(plan.photographs)} pictures, evenly spaced in the data set; {what}, stored "
        "here without loss. Each codec made the largest file, of the whole picture, that is not above the bit rate; "
        "figures are of the whole picture."
    )
    return part("viewer.html").replace("@@NOTE@@", escape(note))


def plots(drawings: Mapping[str, str]) -> str:
    """All plots, of which the script shows one."""
    buttons, figures = [], []
    for index, (name, svg) in enumerate(drawings.items()):
        pressed = "true" if index == 0 else "false"
        title = escape(NAMED[name].title)
        buttons.append(f'<button type="button" data-show="plot-{name}" aria-pressed="{pressed}">{title}</button>')
        image = own_ids(svg[svg.index("<svg") :], name)
        hidden = "" if index == 0 else " hidden"
        figures.append(f'<figure id="plot-{name}" class="plot"{hidden}>{image}</figure>')
    return f'<div class="tabs">{"".join(buttons)}</div>{"".join(figures)}'


def own_ids(svg: str, name: str) -> str:
    """Ids that no other drawing on the page has, and the references to them."""
    return re.sub(r'(\sid="|url\(#|href="#)', rf"\g<1>{name}-", svg)


def matrices(outcome: Results) -> str:
    """Delta rates of every codec against every other one; a table a metric."""
    names = [*outcome.curves, *(curve.name for curve in outcome.plan.published)]
    others = {curve.name for curve in outcome.plan.published}
    buttons, tables = [], []
    for index, metric in enumerate(outcome.plan.metrics):
        pressed = "true" if index == 0 else "false"
        title = escape(metric.title)
        buttons.append(f'<button type="button" data-show="bd-{metric.name}" aria-pressed="{pressed}">{title}</button>')
        found = {(c.codec, c.anchor): c for c in outcome.comparisons if c.metric == metric.name}
        head = "".join(f"<th scope='col'><span>{label(name, others)}</span></th>" for name in names)
        rows = []
        for codec in names:
            row = "".join(cell(found.get((codec, anchor))) for anchor in names)
            rows.append(f"<tr><th scope='row'>{label(codec, others)}</th>{row}</tr>")
        hidden = "" if index == 0 else " hidden"
        tables.append(
            f'<div class="wide" id="bd-{metric.name}"{hidden}><table class="matrix"><thead><tr><th>codec \\ anchor</th>'
            f"{head}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
        )
    return f'<div class="tabs">{"".join(buttons)}</div>{"".join(tables)}'


def label(name: str, others: set[str]) -> str:
    """A codec's name, marked if its curve is not ours."""
    return f'{escape(name)}<sup class="published">published</sup>' if name in others else escape(name)


def cell(found: Comparison | None) -> str:
    """One delta rate, green where bytes are saved."""
    if found is None or found.averaged is None:
        return "<td class='none'>–</td>"
    rate, overlap = found.averaged.percent, found.averaged.overlap
    strength = min(1.0, abs(rate) / PALE) * 0.55
    colour = f"rgba({'14,140,90' if rate < 0 else '208,60,40'},{strength:.2f})"
    single = "–" if found.per_picture is None else f"{found.per_picture:+.1f}"
    worst = "" if found.worst is None else f", worst {found.worst:+.1f} %"
    mark = " class='little'" if overlap < LITTLE_OVERLAP else ""
    tip = f"averaged {rate:+.2f} %, per picture {single} % ({found.pictures}){worst}, overlap {overlap:.0%}"
    values = f'data-averaged="{rate:+.1f}" data-single="{single}" data-overlap="{overlap:.0%}"'
    return f'<td{mark} style="background:{colour}" title="{tip}" {values}>{rate:+.1f}</td>'


def speed(outcome: Results) -> str:
    """Speeds and memory."""
    if not outcome.speeds:
        return "<p>Not measured.</p>"
    weighed = {item.codec: item for item in outcome.memory}
    rows = []
    for item in outcome.speeds:
        mine = weighed.get(item.codec)
        megabytes = [f"{mine.encode_bytes / 1e6:.0f}", f"{mine.decode_bytes / 1e6:.0f}"] if mine else ["–", "–"]
        figures = [f"{item.setting:g}", f"{item.bpp:.3f}", f"{item.encode_mps:.2f}", f"{item.decode_mps:.2f}"]
        rows.append([item.codec, *figures, *megabytes])
    head = ["codec", "setting", "bits per pixel", "encode, MP/s", "decode, MP/s", "encode, MB", "decode, MB"]
    return sortable("speed", head, rows)


def points(outcome: Results) -> str:
    """The averaged points of all curves, measured and published."""
    plan = outcome.plan
    head = ["codec", "setting", "bits per pixel", *(m.title for m in plan.metrics), "encode, MP/s", "decode, MP/s"]
    names = ["setting", "bpp", *(m.key for m in plan.metrics), "encode_mps", "decode_mps"]
    digits = [None, 4, *(m.digits for m in plan.metrics), 2, 2]
    rows = []
    curves: list[Points] = [*outcome.curves.values(), *plan.published]
    for curve in curves:
        columns = curve.averages()
        title = curve.name if curve.name in outcome.curves else f"{curve.name} (published)"
        for index in range(len(columns["bpp"])):
            row = [title]
            for name, count in zip(names, digits, strict=True):
                value = columns[name][index] if name in columns else None
                row.append("–" if value is None else f"{value:g}" if count is None else f"{value:.{count}f}")
            rows.append(row)
    return sortable("points", head, rows)


def codecs(outcome: Results) -> str:
    """Encoders, settings and versions."""
    rows = []
    for codec in outcome.plan.codecs:
        used = outcome.curves[codec.name].settings
        settings = {**codec.settings_table(), codec.knob: ", ".join(f"{value:g}" for value in used)}
        versions = ", ".join(f"{name} {value}" for name, value in codec.versions().items())
        rows.append([codec.name, codec.description, "; ".join(f"{k}: {v}" for k, v in settings.items()), versions])
    return sortable("codecs", ["codec", "encoder", "settings", "versions"], rows)


def published(outcome: Results) -> str:
    """Sources of the published curves."""
    if not outcome.plan.published:
        return ""
    rows = [[curve.name, curve.title, curve.source] for curve in outcome.plan.published]
    return f"<h3>Published curves</h3>{sortable('sources', ['name', 'codec', 'source'], rows)}"


def facts(values: Mapping[str, object]) -> str:
    """A list of names and values."""
    items = "".join(f"<dt>{escape(name)}</dt><dd>{escape(str(value))}</dd>" for name, value in values.items())
    return f"<dl>{items}</dl>"


def sortable(name: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table whose headings sort it."""
    top = "".join(f'<th scope="col"><button type="button">{escape(title)}</button></th>' for title in head)
    body = "".join("<tr>" + "".join(f"<td>{escape(value)}</td>" for value in row) + "</tr>" for row in rows)
    return (
        f'<div class="wide"><table class="sortable" id="{name}"><thead><tr>{top}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )
