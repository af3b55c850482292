"""Overview: the study, where its runs stand on one eval, and what needs attention."""

from __future__ import annotations

import streamlit as st

from dashboard import links
from dashboard.app_pages.overview import pictures
from dashboard.app_pages.overview.attention import notices
from dashboard.charts.panels import flags_by_text
from dashboard.kit import caches
from dashboard.kit.charts.frame import to_look_at
from dashboard.kit.page import nothing, shell
from dashboard.kit.pickers import choices, controls
from dashboard.kit.pickers.choices import pick_definition
from dashboard.kit.pickers.series import default_evals
from dashboard.kit.text.plain import escaped
from dashboard.queries.frame import RateQuery

controls.arrive(links.OVERVIEW)
as_of = shell.as_of()
if caches.batches(as_of).empty:
    nothing.nothing_ingested(as_of)
evals, runs, logs = caches.evals(as_of), caches.runs(as_of), caches.logs(as_of)

# The study, and room for what needs attention: it takes longer than the runs.
for study in caches.studies(as_of):
    pictures.study_head(study)
pictures.study_numbers(runs, evals, logs)
attention = st.container()

if len(evals):
    with st.container(horizontal=True, gap="medium", vertical_alignment="bottom"):
        titles = choices.titles_of(evals)
        first = default_evals(evals, caches.metrics_for((), as_of))[0]
        eval_name = controls.pick_one("Eval", "eval", evals["eval"].tolist(), default=first, titles=titles)
        definition = pick_definition(caches.metrics_for((eval_name,), as_of))
        method = choices.pick_interval()
        repeats = choices.pick_repeats(as_of)
    query = RateQuery(evals=(eval_name,), metrics=definition.metrics, method=method, repeats=repeats)
    standings = caches.standings(query, as_of)
    pieces = pictures.pieces_to_show(standings, runs)
    if pieces:
        told = [f"{row['title']}: {row['definition']}" for row in definition.used.to_dict("records")]
        st.html(f'<div class="dl-note">{escaped("; ".join(told))}</div>')
        state = links.parameters(eval=[eval_name], metric=list(definition.names))
        rows = pictures.draw(standings, runs, pieces, state)
    pictures.never_measured(standings, runs)
    if pieces:
        looks = flags_by_text(standings.rates.loc[rows["row"]])
        to_look_at(looks)
        with st.expander(f"Numbers ({len(rows)} rows)"):
            pictures.rows_table(rows)

with attention:
    pictures.show_notices(
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
