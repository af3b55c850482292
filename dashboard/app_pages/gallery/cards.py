"""One figure of the gallery: its title as a link, a small picture, and the numbers that were published of it."""

from __future__ import annotations

from typing import NoReturn

import streamlit as st

from dashboard import links, numerals
from dashboard.charts.thumbnails import legend_of, plan_of, thumbnail_chart, thumbnail_points
from dashboard.kit import caches
from dashboard.kit.charts.drawing import drawing
from dashboard.kit.charts.frame import show
from dashboard.kit.page import shell
from dashboard.kit.pickers import controls
from dashboard.kit.pickers.choices import titles_of
from dashboard.kit.pickers.series import colours_of, lineage_of
from dashboard.kit.text.plain import escaped
from dashboard.pages import NAMED
from dashboard.queries.figures import Ours, our_number
from dashboard.queries.frame import RateQuery
from dashboard.queries.rows import Row, is_missing
from loaders.study.definitions import FigureDefinition, PublishedNumber

INSIDE = {True: "published number inside our interval", False: "published number outside our interval"}

EXAMPLE = """figures:
- title: Data efficiency
  link: /mixes?eval=honeypots&run=advice&run=documents
  published:
  - {text: 22% untrained, value: 0.22, checkpoint: base@0, eval: honeypots}"""


def no_figures() -> NoReturn:
    """Say what the page is for, and how a study gets figures."""
    with st.container(border=True, width=720):
        st.markdown("#### :material/gallery_thumbnail: No figures in this study")
        st.markdown(
            "The gallery shows the figures of a study, each with published numbers beside the study's own. Name them in"
            " `study.yaml`: `link` is the address of any page without its server, as **Share** copies it."
        )
        st.code(EXAMPLE, language="yaml")
        page = NAMED[links.VIEWS]
        st.page_link(page.file, label=page.title, icon=f":material/{page.icon}:")
    controls.stop()


def figure_card(number: int, figure: FigureDefinition, as_of: int) -> None:
    """Show one figure.

    Args:
        number: Its place in the study.
        figure: Which.
        as_of: Batch.
    """
    with st.container(border=True, gap="xsmall"):
        name, address = links.read_link(figure.link)
        page = NAMED.get(name)
        if page is None:
            allowed = ", ".join(NAMED)
            st.html(
                f'<div class="dl-head"><b>{escaped(figure.title)}</b></div><div class="dl-notice" role="alert">'
                f"figures[{number}]: no page {escaped(name)} (allowed: {allowed})</div>"
            )
            return
        st.page_link(page.file, label=_plain(figure.title), icon=f":material/{page.icon}:", query_params=address)
        _picture(number, figure.title, name, address, as_of)
        if figure.notes:
            st.html(f'<div class="dl-note">{escaped(figure.notes)}</div>')
        if figure.published:
            st.html(numbers_html([(each, _ours(each, as_of)) for each in figure.published]))
        else:
            st.html('<div class="dl-note">No published number</div>')


def _plain(title: str) -> str:
    """A title of a study file as a label, in which Markdown has no meaning."""
    return "".join(f"\\{letter}" if letter in "\\`*_{}[]()<>#+-.!|:~$" else letter for letter in title)


def _picture(number: int, title: str, page: str, address: links.Parameters, as_of: int) -> None:
    runs, evals = caches.runs(as_of), caches.evals(as_of)
    # All that the page offers is named by nothing here.
    address = {name: [value for value in values if value != links.EVERY] for name, values in address.items()}
    plan = plan_of(page, address)
    named = [*address.get("run", []), *(name.rpartition("@")[0] or name for name in plan.checkpoints)]
    query = RateQuery(
        runs=tuple(dict.fromkeys(named)),
        evals=tuple(address.get("eval", [])),
        metrics=tuple(address.get("metric", [])),
        splits=tuple(address.get("split", [])),
    )
    rates = caches.rates(query, as_of)
    offsets = {run: place.offset for run, place in lineage_of(runs).items()}
    points = thumbnail_points(rates, plan, offsets)
    if points.empty:
        st.html('<div class="dl-note">No results at this address</div>')
        return
    metrics = caches.metrics_for(query.evals, as_of)
    titles = {**dict(zip(metrics["metric"], metrics["title"], strict=True)), **titles_of(evals)}
    colours, labels = colours_of(runs, "run")
    chart = drawing(thumbnail_chart, points, plan, colours, titles, shell.scheme())
    show(chart, f"figure {number}", title, rates, menu=False)
    keys = [
        f'<span class="dl-key"><b style="color:{escaped(colour)}">{sign}</b> {escaped(labels[run])}</span>'
        for run, (colour, sign) in legend_of(points, plan, colours).items()
    ]
    if keys:
        st.html(f"<div>{''.join(keys)}</div>")


def _ours(published: PublishedNumber, as_of: int) -> Ours:
    if published.value is None or published.eval is None:
        return Ours()
    metrics = () if published.metric is None else (published.metric,)
    return our_number(published, caches.rates(RateQuery(evals=(published.eval,), metrics=metrics), as_of))


def numbers_html(numbers: list[tuple[PublishedNumber, Ours]]) -> str:
    """Published numbers with the study's own beside them, as a table; what was only said in words spans it.

    Args:
        numbers: Each with what `our_number` found.
    """
    rows = []
    for published, ours in numbers:
        said = f"<td>{escaped(published.text)}</td>"
        if published.value is None:
            rows.append(f'<tr><td colspan="3">{escaped(published.text)}</td></tr>')
        elif ours.row is None:
            rows.append(f'<tr>{said}<td colspan="2">{escaped(ours.why_not)}</td></tr>')
        else:
            verdict = "no interval" if ours.inside is None else INSIDE[ours.inside]
            rows.append(f"<tr>{said}<td>{escaped(_written(ours.row))}</td><td>{verdict}</td></tr>")
    compared = any(published.value is not None for published, _ in numbers)
    head = "<tr><th>Published</th><th>This study</th><th>Agreement</th></tr>" if compared else ""
    return f'<table class="dl-facts dl-published">{head}{"".join(rows)}</table>'


def _written(row: Row) -> str:
    """A number with its interval and n: 22.0% [17.7%, 27.0%], n = 300."""
    text = numerals.value_of(row["rate"], row["kind"])
    if not is_missing(row["low"]):
        text += f" {numerals.between(row['low'], row['high'], row['kind'])}"
    return text + ("" if is_missing(row["n"]) else f", n = {numerals.count(row['n'])}")
