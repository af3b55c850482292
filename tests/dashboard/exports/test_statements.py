"""Numbers as a paper states them: what they are of is said once, LaTeX prints them, and methods name what was used."""

from __future__ import annotations

import pandas as pd
import pytest

from dashboard.exports.facts import Facts
from dashboard.exports.methods import methods_text
from dashboard.exports.statements import latex, latex_table, statements
from dashboard.queries.compare import CompareQuery, compare
from dashboard.queries.equivalence import Margins
from dashboard.queries.frame import RateQuery
from dashboard.queries.rates import rates
from dashboard.queries.trends import TrendQuery, trends
from tests.builders import StoreBuilder, log, samples

FACTS = Facts(
    "Curves: 50% & more", "curves", as_of=1, when="29 Nov 2026, 01:53 UTC", definitions=("harmful: judge = 1",)
)
BATCH = "Data of 29 Nov 2026, 01:53 UTC (import 1)."


@pytest.fixture(scope="module")
def store() -> StoreBuilder:
    builder = StoreBuilder()
    builder.metric("harmful", misaligned={"score": "judge", "op": "=", "value": 1})
    for run, k in (("before_", 66), ("after", 9)):
        builder.add(log(samples([1] * k + [0] * (300 - k))), run=run, step=10)
    builder.add(log(samples([1] * 2 + [0] * 298)), run="after", step=20)
    return builder


def frame_of(store: StoreBuilder, what: str) -> pd.DataFrame:
    with store.cursor() as cursor:
        if what == "rates":
            return rates(cursor, RateQuery(), store.batch)
        if what == "changes":
            return trends(cursor, TrendQuery(("after",)), store.batch).changes
        query = CompareQuery(("before_@10", "after@10"), margins=Margins(0.05))
        return compare(cursor, query, store.batch).differences


def test_a_rate_is_a_sentence_with_all_that_a_referee_asks_for(store):
    said = statements(frame_of(store, "rates"), FACTS)
    assert "before_@10, blackmail: 22.0% (66 of 300; 95% CI 17.7 to 27.0; Wilson)." in said
    assert len(said) == 3 + 1
    assert said[-1] == f"harmful: judge = 1. {BATCH}"
    assert "".join(said).count("harmful") == 1


def test_a_difference_names_its_test_correction_and_both_rates(store):
    said, of = statements(frame_of(store, "differences"), FACTS)
    assert of == f"harmful: judge = 1. {BATCH}"
    assert said.startswith("after@10 vs before_@10, blackmail: −19.0 pp (95% CI −")
    for part in (
        "; Newcombe, paired; 300 questions; p (Holm over 1) < 0.001, McNemar, exact)",
        "), 3.0% (9 of 300) vs 22.0% (66 of 300).",
    ):
        assert part in said
    change, _ = statements(frame_of(store, "changes"), FACTS)
    assert "after@20 vs after@10, blackmail: −2.3 pp (95% CI " in change
    assert "; simultaneous band " in change


def test_what_is_missing_is_not_stated_as_0(store):
    frame = frame_of(store, "rates").assign(rate=None, low=None)
    assert statements(frame, FACTS) == []
    assert latex_table(frame, FACTS) == ""
    assert statements(pd.DataFrame({"x": [1]}), FACTS) == []


def test_a_lead_has_other_signs_and_units_and_is_not_stated_as_a_difference(store):
    lead = frame_of(store, "changes").rename(columns={"rate": "value", "against_rate": "other"}).assign(rate=40.0)
    assert statements(lead, FACTS) == []
    assert latex_table(lead, FACTS) == ""


def test_latex_is_a_table_that_escapes_every_name(store):
    table = latex_table(frame_of(store, "rates"), FACTS)
    assert r"before\_@10 & blackmail & 22.0\% & [17.7, 27.0] & 66/300 \\" in table
    assert r"\caption{Curves: 50\% \& more. harmful: judge = 1. Wilson. Data of" in table
    assert latex("−7.0 pp, p < 0.001, a_b{}\\") == r"$-$7.0 pp, p $<$ 0.001, a\_b\{\}\textbackslash{}"
    differences = latex_table(frame_of(store, "differences"), FACTS)
    assert r"after@10 & blackmail & $-$19.0 pp & [$-$" in differences


def test_methods_name_what_was_used_and_nothing_else(store):
    told = methods_text([frame_of(store, "rates")], [FACTS])
    assert "Outcomes: harmful: judge = 1." in told
    assert "Wilson (1927)" in told
    assert "Newcombe" not in told
    assert BATCH.rstrip(".") in told
    compared = methods_text([frame_of(store, "differences"), frame_of(store, "changes")], [FACTS, FACTS])
    for named in (
        "Newcombe (1998)",
        "McNemar (1947)",
        "Holm (1979)",
        "Schuirmann (1987)",
        "Montiel Olea",
        "Equivalence margin: ±5 pp.",
    ):
        assert named in compared
    assert methods_text([], []) == ""
