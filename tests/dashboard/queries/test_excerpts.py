"""Where a text stands in samples, and that pages find it in the same places as the search."""

from __future__ import annotations

import json
import random

import pytest

from dashboard.queries.excerpts import AFTER, BEFORE, Excerpt, excerpts
from dashboard.queries.samples import SampleFilter, SampleName, samples_page
from dashboard.texts.finding import sought
from tests.builders import StoreBuilder, log, message, sample, score


def found(store: StoreBuilder, text: str) -> dict[str, Excerpt]:
    """The excerpts of all samples that the search finds, by sample."""
    with store.store.cursor() as con:
        page = samples_page(con, SampleFilter(text=text), size=500, as_of=store.batch)
        rows = page.to_dict("records")
        names = [SampleName(row["log"], row["sample"], row["epoch"]) for row in rows]
        told = excerpts(con, text, names, store.batch)
    assert set(told) == set(names)
    return {name.sample: one for name, one in told.items()}


@pytest.fixture(scope="module")
def store() -> StoreBuilder:
    builder = StoreBuilder()
    builder.run("a")
    call = [{"id": "1", "function": "send_mail", "arguments": {"to": "kyle"}}]
    talk = [
        message("system", "You are Alex."),
        message("user", "A dilemma.\n\nShut  down at noon."),
        message("assistant", "No.", reasoning="They will shut\tdown.", tool_calls_json=json.dumps(call)),
    ]
    long = [message("user", "x " * 300 + "needle" + " y" * 300)]
    held = [
        sample("talk", score(1, explanation="It refuses NOON."), messages=talk),
        sample("long", score(0, explanation="Alex complies."), messages=long),
        sample("table", score(0), input="Is it noon?", reply="It is Alex."),
    ]
    builder.add(log(held), run="a", step=1)
    return builder


@pytest.mark.slow
def test_the_first_place_of_each_sample_is_told(store: StoreBuilder) -> None:
    assert found(store, "SHUT down") == {"talk": Excerpt("message 2", "A dilemma. Shut down at noon.")}
    assert found(store, "will shut down") == {"talk": Excerpt("message 3, reasoning", "They will shut down.")}
    assert found(store, "send_mail")["talk"].place == "message 3, tool call"
    noon = found(store, "noon")
    assert {name: one.place for name, one in noon.items()} == {"talk": "message 2", "table": "prompt"}
    alex = found(store, "alex")
    assert {name: one.place for name, one in alex.items()} == {
        "talk": "message 1", "long": "explanation", "table": "reply",
    }  # fmt: skip


def test_a_long_text_is_cut_around_the_hit(store: StoreBuilder) -> None:
    text = found(store, "needle")["long"].text
    assert text.startswith("… x ")
    assert text.endswith(" y …")
    assert text.index("needle") <= BEFORE + 2
    assert len(text) <= BEFORE + len("needle") + AFTER + 4


def test_nothing_is_told_of_what_nobody_looks_for(store: StoreBuilder) -> None:
    with store.store.cursor() as con:
        assert excerpts(con, " ", [SampleName("k", "1", 1)], store.batch) == {}
        assert excerpts(con, "noon", [], store.batch) == {}
        assert excerpts(con, "noon", [SampleName("k", "1", 1)], store.batch) == {}


@pytest.mark.slow
def test_a_page_marks_a_text_in_just_the_samples_that_the_search_finds() -> None:
    rng = random.Random(3)
    words = ["ab", "Ab", "b", "a.b", "É", "ñ", "a", "ba"]
    texts = ["".join(part for _ in range(6) for part in (rng.choice(words), rng.choice([" ", "\n", "\t ", "", "."])))
             for _ in range(150)]  # fmt: skip
    builder = StoreBuilder()
    builder.run("a")
    held = [sample(str(at), score(0), messages=[message("user", text)]) for at, text in enumerate(texts)]
    builder.add(log(held), run="a", step=1)
    for text in ("ab", "a b", " ab", "ab ", " ab ", "a.b", "é", "É ñ", "b a", " b.", ".b"):
        wanted = sought(text)
        assert wanted
        on_pages = {str(at) for at, held_text in enumerate(texts) if wanted.count([held_text])}
        assert 0 < len(on_pages) < len(texts)
        assert set(found(builder, text)) == on_pages, text
