"""Overview: what changed and what to distrust at a glance, and where every run stands on one eval."""

from __future__ import annotations

import streamlit as st

from dashboard import links, numerals
from dashboard.app_pages.overview import cards, choice, head, pictures, section_pictures, tables
from dashboard.app_pages.overview.attention import notices
from dashboard.charts.panels import flags_by_text
from dashboard.charts.standing_table import run_table
from dashboard.kit import caches
from dashboard.kit.charts.frame import to_look_at
from dashboard.kit.page import nothing, shell
from dashboard.kit.pickers import choices, controls
from dashboard.kit.pickers.choices import pick_definition
from dashboard.kit.pickers.series import colours_of, default_evals, lineage_of
from dashboard.kit.text.plain import escaped
from dashboard.queries.frame import RateQuery

controls.arrive(links.OVERVIEW)
as_of = shell.as_of()
batches = caches.batches(as_of)
if batches.empty:
    nothing.nothing_ingested(as_of)
evals, runs, logs = caches.evals(as_of), caches.runs(as_of), caches.logs(as_of)

head.studies(caches.studies(as_of), head.counts_line(runs, evals, logs))
first_screen = head.room("cards") if len(evals) else None
warnings = head.room("warnings")

if first_screen is not None:
    with st.container(horizontal=True, gap="medium", vertical_alignment="bottom", key="overview_measured"):
        titles = choices.titles_of(evals)
        first = default_evals(evals, caches.metrics_for((), as_of))[0]
        eval_name = controls.pick_one(
            "Eval", "eval", evals["eval"].tolist(), default=first, titles=controls.findable(titles)
        )
        definition = pick_definition(caches.metrics_for((eval_name,), as_of))
        method = choices.pick_interval()
        margins = choices.pick_margins(definition.used)
        repeats = choices.pick_repeats(as_of)
    query = RateQuery(evals=(eval_name,), metrics=definition.metrics, method=method, repeats=repeats)
    standings = caches.standings(query, as_of, margins)
    state = links.parameters(eval=[eval_name], metric=list(definition.names))
    shown = pictures.shown_runs(standings, runs)
    if shown is not None:
        changes = cards.changes_of(shown.rows)
        latest = int(batches["batch"].max())
        with first_screen:
            head.show_cards(
                cards.headline(changes),
                [
                    *cards.change_cards(changes, state, shown.unit),
                    cards.new_card(logs, shown.rows["run"].tolist(), latest, state),
                    cards.doubt_card(shown.rows, state),
                ],
            )
        section_pictures.show(standings.rates, runs, state)
        chosen = choice.chosen_runs(runs["run"].tolist())
        table = run_table(shown.rows, shown.trail, runs, fraction=shown.fraction)
        rows, by, view = tables.pick_rows(table)
        choice.show_links(table, chosen, state)
        if len(rows) < len(table):
            st.caption(f"{numerals.part(rows['run'].nunique(), table['run'].nunique())} runs match")
        if view == "chart":
            pictures.draw(shown, rows["run"].tolist(), standings, runs, state)
        else:
            pinned = controls.pinned()
            tables.show_tables(
                rows, by, chosen, tables.titles_of(shown.rows, shown.unit), colours_of(runs, "run")[0],
                tables.curve_addresses(rows["run"].tolist(), state, lineage_of(runs), pinned),
            )  # fmt: skip
    told = [f"{row['title']}: {row['definition']}" for row in definition.used.to_dict("records")]
    st.html(f'<div class="dl-note">{escaped("; ".join(told))}</div>')
    pictures.never_measured(standings, runs)
    if shown is not None:
        to_look_at(flags_by_text(standings.rates.loc[shown.rows["row"]]))
        with st.expander(f"Data ({numerals.plural(len(shown.rows), 'row')})"):
            pictures.rows_table(shown.rows)

with warnings:
    head.show_notices(
        notices(
            caches.files(as_of),
            caches.conflicts(as_of),
            caches.coverage(as_of),
            logs,
            caches.unlike_settings(as_of),
            caches.rates(RateQuery(), as_of),
        )
    )
if evals.empty:
    nothing.nothing_ingested(as_of)
controls.leave()
