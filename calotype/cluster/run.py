# SPDX-License-Identifier: BSD-3-Clause
"""A run: what is listed and not done yet goes through Ray Data, and sums come back."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Any

from ..errors import CalotypeError, describe
from . import manifest
from .listing import MOST_FILES, Listing, Piece, digest, folded, units
from .manifest import Account
from .order import Order
from .session import cluster
from .store import Store, check_installed
from .worker import Tally, Worker

WAVE = 1 << 18  # items at a time: what the driver holds of a source that may have no end
A_WORKER = 8  # units at least, so that all end at about the same time
# An actor keeps a core busy and asks for half of one: when a machine is lost, its actors find room on the others.
CORES = 0.5
IN_FLIGHT = 2  # units that wait at an actor, the one at work included


@dataclass(frozen=True)
class Work:
    """All that a run is told.

    Attributes:
        source, destination: paths, or URLs of fsspec.
        order: what to do with each picture.
        suffixes: of pictures, in lower case, with dots.
        suffix: of outputs, with its dot.
        column: of tables, the one with pictures.
        actors: how many; None for one a core of the cluster.
        address: of a cluster; None for one of this machine's cores.
        overwrite: make everything anew, and replace what is there.
        most_files: of a unit.
    """

    source: str
    destination: str
    order: Order
    suffixes: frozenset[str]
    suffix: str
    column: str | None = None
    actors: int | None = None
    address: str | None = None
    overwrite: bool = False
    most_files: int = MOST_FILES


@dataclass
class Totals(Tally):
    """Sums of a run."""

    skipped: int = 0  # items that were done before
    listed: int = 0  # bytes of what is to do, as far as it is listed
    complete: bool = False  # whether all is listed
    ignored: dict[str, int] = field(default_factory=dict)  # kinds of files that were passed over
    problems: list[tuple[str, str]] = field(default_factory=list)  # what was passed over in the source, and why


def run(work: Work, report: Callable[[Tally, Totals], None]) -> Totals:
    """Do all of it; bad pictures are counted.

    Args:
        work: what to do.
        report: told of each unit that is done, and of the sums so far.

    Raises:
        CalotypeError: of the source, the destination or the cluster.
    """
    check_installed()
    source, destination = Store(work.source), Store(work.destination)
    if source.root == destination.root or destination.is_file():
        raise CalotypeError(f"{work.destination} is not a folder of its own; name another for the results")
    destination.sweep()
    account = _account(work, destination)
    totals, again = Totals(), set[bytes]()
    listing = Listing(source, work.suffixes, work.suffix, destination.root)
    todo = _todo(work, listing, destination, account, totals)
    first = next(todo, None)
    if first is not None:
        if not account.parts:
            manifest.begin(destination)
        with cluster(work.address, work.actors) as ray:
            cores = int(ray.cluster_resources().get("CPU", 1))
            actors = work.actors or max(1, cores)
            waiting = chain([first], todo)
            while wave := list(islice(waiting, WAVE)):
                totals.listed += sum(item.size for _, item in wave)
                totals.complete = len(wave) < WAVE
                for tally in _results(ray, work, account.run, wave, actors):
                    totals.add(tally)
                    keys = {bytes.fromhex(key) for key in tally.keys}
                    again |= keys & account.seen.keys()
                    report(tally, totals)
        # Of what could not be listed the rows stay, also if all else was made anew.
        everything = work.overwrite and not listing.problems
        manifest.prune(destination, account, account.seen.keys() if everything else again)
    totals.ignored, totals.problems = dict(listing.ignored), listing.problems
    return totals


def _account(work: Work, destination: Store) -> Account:
    """What earlier runs have done; CalotypeError if the destination is not theirs, or had other settings."""
    there = {digest(name): size for name, size in manifest.outputs(destination)}
    account = manifest.load(destination, there)
    if work.overwrite:
        return Account(seen=account.seen, run=account.run, parts=account.parts)
    if there and not account.parts:
        raise CalotypeError(
            f"{work.destination} holds files, and no account of a batch: name an empty folder, or --overwrite "
            f"what is there"
        )
    if account.settings not in (None, work.order.settings):
        raise CalotypeError(
            f"{work.destination} was made with other settings, {account.settings}, and not with {work.order.settings}: "
            f"name another folder, or --overwrite what is there"
        )
    return account


def _todo(
    work: Work, listing: Listing, destination: Store, account: Account, totals: Totals
) -> Iterator[tuple[str, Piece]]:
    source = listing.source.root
    apart = f"{destination.root}/".startswith(f"{source}/")  # a folder inside the source, which is not descended into
    outputs: dict[bytes, str] | None = {} if destination.ignores_case() else None
    for kind, item in listing:
        first = item.output if outputs is None else outputs.setdefault(digest(folded(item.output)), item.output)
        if first != item.output:
            message = (
                f"its output {item.output} is also {first}, for {work.destination} ignores case: rename one of them"
            )
            listing.problems.append((item.source, message))
            continue
        if not apart and f"{destination.path(item.output)}/".startswith(f"{source}/"):
            raise CalotypeError(
                f"{work.destination} would get {item.output} where the source is, and an input is never overwritten: "
                "name another folder"
            )
        if account.has(item, work.order.settings):
            totals.skipped += 1
            totals.failed += account.failures.get(item.key, 0)
        elif account.is_taken(item):
            message = f"its output {item.output} is there, made from another file: move it away, or delete it"
            listing.problems.append((item.source or item.output, message))
        else:
            yield kind, item


def _results(ray: Any, work: Work, run: int, wave: list[tuple[str, Piece]], actors: int) -> Iterator[Tally]:
    most_files = max(1, min(work.most_files, -(-len(wave) // (A_WORKER * actors))))
    rows = [{"unit": unit.to_json()} for unit in units(iter(wave), most_files)]
    told = {
        "order": work.order, "source": work.source, "destination": work.destination, "run": run,
        "column": work.column, "suffixes": work.suffixes, "suffix": work.suffix,
    }  # fmt: skip
    try:
        done = ray.data.from_items(rows, override_num_blocks=len(rows)).map_batches(
            Worker,
            fn_constructor_kwargs=told,
            batch_size=1,
            num_cpus=CORES,
            compute=ray.data.ActorPoolStrategy(size=min(actors, len(rows)), max_tasks_in_flight_per_actor=IN_FLIGHT),
        )
        for row in done.iter_rows():
            yield Tally(**json.loads(row["tally"]))
    except Exception as error:  # Ray's wrap what happened, in several layers
        raise CalotypeError(_cause(error)) from error


def _cause(error: BaseException) -> str:
    """The sentence inside."""
    found: BaseException | None = error
    while found is not None:
        if isinstance(found, CalotypeError):
            return str(found)
        found = getattr(found, "cause", None) or found.__cause__
    return f"the cluster gave up: {describe(error) if isinstance(error, Exception) else error}"
