"""Interleaved timing: what is compared takes turns, so that a noisy machine disturbs all of it alike."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

WARM_UP = 12  # psycopg prepares at the sixth execution, PostgreSQL settles on a plan five later

Times = list[float]  # seconds


@dataclass(frozen=True)
class Figure:
    """One line of the table. `best` and `typical` are what the target is about, in its unit."""

    name: str
    measured: str
    best: str
    typical: str
    target: str = ""
    is_met: bool | None = None


def in_turns(repeats: int, *contestants: Callable[[], object], warm_up: int = WARM_UP) -> list[Times]:
    """How long each contestant took, run after run: A B C, A B C, and so on."""
    return alternated(repeats, *map(_timed, contestants), warm_up=warm_up)


def alternated(repeats: int, *stopwatches: Callable[[], float], warm_up: int = WARM_UP) -> list[Times]:
    """The same for contestants that time themselves, in seconds."""
    turns = [[stopwatch() for stopwatch in stopwatches] for _ in range(warm_up + repeats)]
    return [list(times) for times in zip(*turns[warm_up:], strict=True)]


def _timed(contestant: Callable[[], object]) -> Callable[[], float]:
    def stopwatch() -> float:
        started = time.perf_counter()
        contestant()
        return time.perf_counter() - started

    return stopwatch


def times_slower(name: str, ours: Times, bare: Times, *, at_most: float | None = None) -> Figure:
    """Our time over the bare one: of the two fastest runs, and the median over the pairs."""
    typical = median(pair_ratios(ours, bare))
    return Figure(
        name,
        f"{median(ours) * 1000:.1f} ms",
        f"{min(ours) / min(bare):.2f} ×",
        f"{typical:.2f} ×",
        "" if at_most is None else f"≤ {at_most:g} ×",
        None if at_most is None else typical <= at_most,
    )


def share_of_rate(
    name: str, ours: Times, bare: Times, per_run: int, *, at_least: float | None = None
) -> Figure:
    """Our rate as a share of the bare one, where each run did the same `per_run` things."""
    typical = median(pair_ratios(bare, ours))
    return Figure(
        name,
        f"{per_run / median(ours):.0f} /s",
        f"{min(bare) / min(ours):.0%}",
        f"{typical:.0%}",
        "" if at_least is None else f"≥ {at_least:.0%}",
        None if at_least is None else typical >= at_least,
    )


def over(name: str, ours: Times, empty: Times, *, at_most_ms: float) -> Figure:
    """How many milliseconds more than the empty thing ours takes."""
    typical = median(mine - its for mine, its in zip(ours, empty, strict=True)) * 1000
    return Figure(
        name,
        f"{median(ours) * 1000:.1f} ms",
        f"+{(min(ours) - min(empty)) * 1000:.1f} ms",
        f"+{typical:.1f} ms",
        f"≤ {at_most_ms:g} ms",
        typical <= at_most_ms,
    )


def pair_ratios(above: Times, below: Times) -> list[float]:
    return [upper / lower for upper, lower in zip(above, below, strict=True)]


def table(title: str, figures: Sequence[Figure]) -> str:
    """The figures as text, one a line, with "over" where a target is missed."""
    width = max(len(figure.name) for figure in figures)
    lines = [f"\n{title}", f"  {'':{width}}  {'median':>10}  {'best':>9}  {'typical':>9}  {'target':>8}"]
    for each in figures:
        verdict = {True: "ok", False: "over", None: ""}[each.is_met]
        lines.append(
            f"  {each.name:{width}}  {each.measured:>10}  {each.best:>9}  {each.typical:>9}"
            f"  {each.target:>8}  {verdict}".rstrip()
        )
    return "\n".join(lines)
