# SPDX-License-Identifier: BSD-3-Clause
"""A whole benchmark: measure, time, weigh, compare, and collect pictures to look at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ..metrics.metric import Metric
from .compare import Comparison, compare_all
from .contender import Contender
from .curves import Curve
from .measure import LabelledProgress, measure
from .memory import Memory, weigh
from .pictures import Photograph
from .published import Published, is_kodak
from .records import Cache
from .samples import Exhibit, exhibit
from .speed import Speed, race, setting_at

VIEWER_RATES = (0.15, 0.3, 0.6)  # bits per pixel: where codecs differ, and where they no longer do
SEARCH_COST = 8  # encodings that it takes to find a file of a given size
MEMORY_COST = 4  # measurements that two fresh processes take as long as


@dataclass(frozen=True)
class Benchmark:
    """A benchmark to run."""

    data_set: str
    photographs: Sequence[Photograph]
    codecs: Sequence[Contender]
    metrics: Sequence[Metric]
    settings: Mapping[str, Sequence[float]] = field(default_factory=dict)  # in place of the codecs' own
    published: Sequence[Published] = ()
    rounds: int = 1  # of each measurement
    jobs: int = 1  # processes; above 1 the measurements carry no times
    speed_rounds: int = 3  # 0: neither speed nor memory is measured
    speed_bpp: float = 0.5  # where speeds are compared
    viewer_pictures: int = 3
    viewer_rates: Sequence[float] = VIEWER_RATES
    viewer_width: int = 480  # pixels of the part that is shown; 0 for all of it
    cache: Cache | None = None


@dataclass(frozen=True)
class Results:
    """Results of a benchmark."""

    plan: Benchmark
    curves: dict[str, Curve]
    comparisons: list[Comparison]
    speeds: list[Speed]
    memory: list[Memory]
    exhibits: list[Exhibit]

    @property
    def remark(self) -> str:
        """Warning to show with published curves, if these are not their pictures."""
        if not self.plan.published or is_kodak(self.plan.photographs):
            return ""
        return (
            "The published curves are means over the 24 Kodak pictures, and these are others: "
            "what they say about each other is no comparison."
        )


def run(plan: Benchmark, progress: LabelledProgress | None = None) -> Results:
    """Do all of it; ``progress`` hears of one total for all stages."""
    points = len(plan.photographs) * sum(len(plan.settings.get(c.name, c.settings)) for c in plan.codecs)
    timed = len(plan.photographs) * len(plan.codecs) * plan.speed_rounds
    weighed = MEMORY_COST * len(plan.codecs) if plan.speed_rounds else 0
    looks = min(plan.viewer_pictures, len(plan.photographs)) * len(plan.viewer_rates) * len(plan.codecs) * SEARCH_COST
    total = points + timed + weighed + looks

    def stage(before: int, share: int) -> LabelledProgress | None:
        def report(done: int, of: int, label: str) -> None:
            if progress and of:
                progress(before + share * done // of, total, label)

        return report if progress else None

    curves = measure(
        plan.codecs,
        plan.photographs,
        plan.settings,
        metrics=plan.metrics,
        rounds=plan.rounds,
        jobs=plan.jobs,
        cache=plan.cache,
        progress=stage(0, points),
    )
    speeds, memory = [], []
    if plan.speed_rounds:
        racers = [(codec, setting_at(curves[codec.name], plan.speed_bpp)) for codec in plan.codecs]
        speeds = race(racers, plan.photographs, rounds=plan.speed_rounds, progress=stage(points, timed))
        largest = max(plan.photographs, key=lambda photograph: photograph.pixels)
        memory = weigh(racers, largest, progress=stage(points + timed, weighed))
    exhibits = exhibit(
        plan.codecs,
        plan.photographs,
        plan.viewer_rates,
        plan.metrics,
        count=plan.viewer_pictures,
        across=plan.viewer_width,
        cache=plan.cache,
        progress=stage(points + timed + weighed, looks),
    )
    compared = compare_all([*curves.values(), *plan.published], plan.metrics)
    return Results(plan, curves, compared, speeds, memory, exhibits)
