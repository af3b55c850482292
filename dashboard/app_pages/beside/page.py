"""Side by side: one question at two to six checkpoints, turn by turn, with what the judge said of each."""

from __future__ import annotations

import streamlit as st

from dashboard import links, numerals
from dashboard.app_pages.beside import choosing, columns, moving
from dashboard.app_pages.beside.cells import STYLE
from dashboard.kit import along, caches
from dashboard.kit.page import nothing, shell
from dashboard.kit.pickers import controls
from dashboard.kit.pickers.series import labels_of
from dashboard.kit.text.answers import STYLE as MARKS
from dashboard.kit.text.plain import escaped
from dashboard.queries.beside import AnswerQuery, questions_of

controls.arrive(links.BESIDE)
as_of = shell.as_of()
st.html(STYLE + MARKS)
evals, runs, coverage = caches.evals(as_of), caches.runs(as_of), caches.coverage(as_of)
if evals.empty:
    nothing.nothing_ingested(as_of)

# What is put beside each other, and which question.
choice = choosing.choose(evals, runs, coverage, as_of)
columns.part_of_address()
query = AnswerQuery(choice.eval, choice.counted.metric, tuple(choice.checkpoints), variant=choice.variant)
frame = caches.answers(query, as_of)
table = questions_of(frame, choice.checkpoints)
if table.empty:
    nothing.no_answers()
answers = moving.by_place(frame)
here = moving.question(table)
st.html(f'<div class="dl-head">{escaped(choice.eval_title)} · question <b>{escaped(here)}</b></div>')
over_the_list = st.container()
with st.expander(f"Questions ({numerals.count(len(table))})", icon=":material/list:"):
    only = st.toggle(
        "Disagreements only", key="disagree", bind="query-params", help="Applies to the list, Next and Previous."
    )
    shown = moving.within(table, here, only)
    moving.matrix(shown, here, answers, choice.checkpoints, choice.titles, choice.counted)
with over_the_list:
    moving.bar(table, here, shown)

# The question itself, at the checkpoints or along a run.
view = controls.switch("View", "view", choosing.VIEWS, collapsed=True)
if view == links.BY_STEP:
    labels = labels_of(runs)
    measured = coverage[coverage["eval"] == choice.eval]["run"].unique().tolist()
    default = next(iter(frame["run"]), measured[0])
    run = controls.pick_one("Run", "run", measured, default=default, titles=controls.findable(labels))
    of = along.of_run(choice.eval, run, choice.counted, as_of, choice.variant)
    along.question_along(of, here, choice.counted, choice.checkpoints)
    steps = along.steps_to_see(of, here)
    st.button(
        "Side by side: steps of this run", icon=":material/view_column_2:", disabled=not steps,
        on_click=choosing.put_beside, args=(steps,),
    )  # fmt: skip
    moving.changed_questions(of, choice.counted, moving.go)
else:
    places = columns.places(choice, answers, here)
    columns.heads(choice, places, here, as_of)
    columns.transcripts(choice, places, here, as_of)
controls.leave()
