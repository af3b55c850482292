"""Small multiples: of each section its runs' rates by step, and their mean, on one scale; SVG pictures in HTML. Pure.

A mean is over the same runs at every step: where another run came in or one ended, it would move without any run's rate
having changed. So it is of the steps at which every run of the section was measured, and of runs of one stage.
"""

from __future__ import annotations

import math
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd
from markupsafe import Markup

from dashboard import numerals
from dashboard.charts.palette import INKS, Ink, Scheme
from dashboard.charts.points import lacks_of
from dashboard.queries.sections import sections

HEIGHT = 86
"""Pixels of one plot, which is as wide as its column."""

INSIDE = 1000
"""Units across the plot, however wide it is."""

MOST = 12
"""Sections that are drawn; the others are counted."""

MOST_COLUMNS = {0: 2, 640: 3, 1100: 5, 1700: 8}
"""Pixels of width, and for how many pictures in a row these are enough. In the style of them all, `--3` is how many
columns there are where three have room."""

STYLE = Markup("""\
.dl-room { container-type: inline-size; }
.dl-multiples { display: grid; gap: .4rem 1.2rem; }
.dl-multiples a { color: inherit; text-decoration: none; font-size: .85rem; display: block; min-width: 0; }
.dl-multiples a:hover b, .dl-multiples a:focus-visible b { text-decoration: underline; }
.dl-multiples b { font-weight: 600; overflow-wrap: anywhere; }
.dl-multiples a > span { display: grid; grid-template-columns: auto minmax(0, 1fr); gap: 0 .35rem; font-size: .72rem;
  line-height: 12px; }
.dl-multiples i { font-style: normal; }
.dl-multiples span > span { display: flex; justify-content: space-between; }
.dl-multiples span > span:first-child { flex-direction: column; text-align: right; }
.dl-multiples span > span:last-child { grid-column: 2; }
.dl-multiples img { width: 100%; display: block; }
""")

Course = list[tuple[float, float]]
"""Steps with rates, in order."""


@dataclass(frozen=True)
class SectionCourse:
    """What is drawn of a section.

    Attributes:
        name: Of the section.
        courses: Each with its run; several of a run that has variants.
        mean: Over all of them, at the steps that all have; of fewer than two steps where there is none.
    """

    name: str
    courses: list[tuple[str, Course]]
    mean: Course


def section_courses(rates: pd.DataFrame, runs: pd.DataFrame) -> list[SectionCourse]:
    """The courses of every section in which a run was measured at two steps or more, in the study's order.

    Args:
        rates: `RATE_COLUMNS` of one eval or group and metric.
        runs: `RUN_COLUMNS`.
    """
    some = rates[rates["rate"].notna() & rates["step"].notna() & (rates["repeat"] == 0)]
    # A mean that lacks evals of its group is no point of the others' line.
    some = some[[not lacks_of(row) for row in some[["lacks"]].to_dict("records")]] if len(some) else some
    found: dict[str, list[tuple[str, Course]]] = {name: [] for name in sections(runs)}
    section_of = dict(zip(runs["run"], runs["section"], strict=True))
    for (run, _), of in some.groupby(["run", "variant"], sort=False, dropna=False):
        course = [(float(step), float(rate)) for step, rate in sorted(zip(of["step"], of["rate"], strict=True))]
        if len({step for step, _ in course}) > 1 and section_of.get(run) in found:
            found[section_of[run]].append((str(run), course))
    stage_of = dict(zip(runs["run"], runs["stage"].fillna(""), strict=True))
    return [
        SectionCourse(name, courses, _mean(courses) if len({stage_of[run] for run, _ in courses}) == 1 else [])
        for name, courses in found.items()
        if courses
    ]


def _mean(courses: list[tuple[str, Course]]) -> Course:
    by_step = [dict(course) for _, course in courses]
    common = sorted(set.intersection(*map(set, by_step)))
    if len(courses) < 2 or len(common) < 2:
        return []
    return [(step, sum(of[step] for of in by_step) / len(by_step)) for step in common]


def multiples_style() -> Markup:
    """The style of all the pictures."""
    in_a_row = Markup(".dl-multiples {{ grid-template-columns: repeat(var(--{}), minmax(0, 1fr)); }}")
    rows = Markup("").join(
        Markup("@container (min-width: {}px) {{ {} }}\n").format(width, in_a_row.format(most))
        for width, most in MOST_COLUMNS.items()
    )
    return Markup("<style>\n{}{}.dl-multiples img {{ height: {}px; }}\n</style>").format(STYLE, rows, HEIGHT)


def section_multiples(
    drawn: list[SectionCourse], colours: Mapping[str, str], addresses: Mapping[str, str], kind: str, scheme: Scheme
) -> Markup:
    """The pictures, each a link.

    Args:
        drawn: At least one.
        colours: Of runs.
        addresses: Section to where its picture leads.
        kind: Of the values: "rate", or another of `dashboard.numerals.value_of`.
        scheme: Of the page.
    """
    values = [rate for each in drawn for _, course in each.courses for _, rate in course]
    low, high = min(0.0, *values), max(values)
    high = high if high > low else low + 1
    pictures = Markup("").join(
        _picture(each, colours, addresses[each.name], kind, (low, high), INKS[scheme]) for each in drawn
    )
    columns = Markup(";").join(
        Markup("--{}:{}").format(most, _columns(len(drawn), most)) for most in MOST_COLUMNS.values()
    )
    return Markup('<div class="dl-room"><div class="dl-multiples" style="{}">{}</div></div>').format(columns, pictures)


def _columns(count: int, most: int) -> int:
    """Columns of which as few as can be are empty in the last row, with no more rows than the most would take."""
    rows = math.ceil(count / most)
    return math.ceil(count / rows)


def _picture(
    each: SectionCourse, colours: Mapping[str, str], address: str, kind: str, reach: tuple[float, float], ink: Ink
) -> Markup:
    low, high = reach
    steps = [step for _, course in each.courses for step, _ in course]
    first, last = min(steps), max(steps)
    foot, top = HEIGHT - 6, 6

    def points(course: Course) -> str:
        across, up = INSIDE / (last - first), (foot - top) / (high - low)
        places = (((step - first) * across, foot - (rate - low) * up) for step, rate in course)
        return " ".join(f"{round(x, 1)},{round(y, 1)}" for x, y in places)

    line = Markup(
        '<polyline points="{}" fill="none" stroke="{}" stroke-width="{}" stroke-opacity="{}"'
        ' vector-effect="non-scaling-stroke"/>'
    )
    rule = Markup('<path d="M0,{}H{}" stroke="{}" vector-effect="non-scaling-stroke"/>')
    lines = [rule.format(y, INSIDE, ink.faint) for y in (top, foot)]
    lines += [line.format(points(course), colours[run], 1.3, 0.6) for run, course in each.courses]
    if each.mean:
        lines.append(line.format(points(each.mean), ink.text, 2.6, 1))
    counted = numerals.plural(len({run for run, _ in each.courses}), "run")
    # Streamlit lets no SVG into HTML, but pictures; letters would be drawn out to the width with what is in it.
    svg = Markup(
        '<svg xmlns="http://www.w3.org/2000/svg" width="100%" height="{}" viewBox="0 0 {} {}"'
        ' preserveAspectRatio="none">{}</svg>'
    ).format(HEIGHT, INSIDE, HEIGHT, Markup("").join(lines))
    source = f"data:image/svg+xml;base64,{b64encode(svg.encode()).decode()}"
    pair = Markup("<i>{}</i><i>{}</i>")
    return Markup(
        '<a href="{}" target="_self" aria-label="{}"><b>{}</b> · {}<span style="color:{}"><span>{}</span>'
        '<img src="{}" alt=""><span>{}</span></span></a>'
    ).format(
        address, f"Curves of {each.name}: {counted}{_told(each, kind)}", each.name, counted, ink.muted,
        pair.format(numerals.value_of(high, kind), numerals.value_of(low, kind)), source,
        pair.format(f"step {numerals.count(first)}", numerals.count(last)),
    )  # fmt: skip


def _told(each: SectionCourse, kind: str) -> str:
    """The mean in words."""
    if not each.mean:
        return ""
    ends = [
        f"{numerals.value_of(rate, kind)} at step {numerals.count(step)}"
        for step, rate in each.mean[:: len(each.mean) - 1]
    ]
    return f", mean {ends[0]}, {ends[-1]}"
