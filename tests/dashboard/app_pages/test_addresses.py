"""State in the address: what is in use is named in it, it is obeyed, and nothing chosen never means everything."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from dashboard import links
from dashboard.app_pages.beside import choosing
from dashboard.app_pages.data import tables
from dashboard.app_pages.mixes import beginning
from dashboard.app_pages.probe import results
from dashboard.pages import page_file
from tests.builders import StoreBuilder, built_once, log, samples
from tests.pages import APP, address, choose, chosen, headings, html, offered, opened, showing, shown

pytestmark = pytest.mark.slow

NAMES = ["plain", "with/slash", "é, 日本 & more", "%2F?#", "a b+c"]


@built_once
def built() -> StoreBuilder:
    builder = StoreBuilder()
    builder.metric("misaligned", misaligned={"score": "judge", "op": "=", "value": 1})
    builder.metric("strict", misaligned={"score": "judge", "op": ">", "value": 0})
    for name in NAMES:
        builder.run(name)
        for step in (0, 100):
            builder.add(log(samples([1, 0, 0, 0])), run=name, step=step)
    return builder


store = showing(built)


def test_the_bare_address_leads_to_the_overview_and_names_what_is_in_use(store: StoreBuilder) -> None:
    app = AppTest.from_file(str(APP), default_timeout=300).run()
    assert [heading.value for heading in app.subheader] == ["Overview"]
    assert address(app) == {"eval": ["blackmail"], "metric": ["misaligned"]}


def test_curves_without_an_address_name_what_is_in_use(store: StoreBuilder) -> None:
    app = opened("curves")
    assert address(app) == {"eval": ["blackmail"], "metric": ["misaligned"], "run": NAMES}


@pytest.mark.parametrize("name", NAMES)
def test_any_name_comes_back_from_the_address(store: StoreBuilder, name: str) -> None:
    app = opened("curves", run=[name], metric="strict")
    assert chosen(app, "curves_run") == [name]
    assert app.selectbox(key="curves_metric").value == "strict"
    assert address(app)["run"] == [name]


def test_a_split_by_a_field_that_is_not_there_is_said(store: StoreBuilder) -> None:
    assert "None of the picked evals has the field metadata.gone" in html(opened("curves", split="metadata.gone"))
    assert "None of the picked evals" not in html(opened("curves"))


def test_no_run_chosen_is_said_in_the_address_and_never_means_all(store: StoreBuilder) -> None:
    app = opened("curves")
    choose(app, "curves_run", [])
    assert address(app)["run"] == [""]
    assert any("Select run" in text for text in headings(app.main))
    again = opened("curves", run=[""])
    assert chosen(again, "curves_run") == []
    assert any("Select run" in text for text in headings(again.main))


def test_a_run_that_is_not_there_matches_nothing(store: StoreBuilder) -> None:
    app = opened("curves", run=["gone"])
    assert chosen(app, "curves_run") == ["gone"]
    assert any("No results" in text for text in headings(app))
    app = opened("samples", run=["gone"])
    assert any("No samples" in text for text in headings(app))


def test_a_definition_that_is_not_there_gives_way_to_the_default(store: StoreBuilder) -> None:
    assert address(opened("curves", metric="gone"))["metric"] == ["misaligned"]


def test_evals_with_different_defaults_are_all_named_and_come_back() -> None:
    builder = StoreBuilder()
    for eval_name in ("blackmail", "framing"):
        builder.metric(f"of_{eval_name}", evals=[eval_name], misaligned={"score": "judge", "op": "=", "value": 1})
        builder.add(log(samples([1, 0]), task=eval_name), run="a", step=1)
    with shown(builder.store):
        app = opened("curves", eval=["blackmail", "framing"])
        assert address(app)["metric"] == ["of_blackmail", "of_framing"]
        again = opened("curves", **address(app))
        assert again.selectbox(key="curves_metric").value == "each eval's default"
        one = opened("curves", eval=["blackmail", "framing"], metric="of_framing")
        assert address(one)["metric"] == ["of_framing"]


def test_an_address_pins_a_batch_and_the_newest_is_offered(store: StoreBuilder) -> None:
    store.next_batch()
    store.run("later")
    store.add(log(samples([1, 1])), run="later", step=0)
    app = opened("curves", as_of="1")
    assert "(import 1)" in html(app)
    assert "later" not in offered(app, "curves_run")
    app.button(key="update").click().run()
    assert "as_of" not in address(app)
    assert "later" in offered(app, "curves_run")


def test_a_batch_that_never_was_is_told(store: StoreBuilder) -> None:
    app = opened("curves", as_of="99")
    assert "frozen at import 99, which is not here" in html(app)


@pytest.mark.parametrize("number", ["9" * 5000, "-1", "1e3", "²", "0", ""])
def test_numbers_that_are_none_are_no_trouble(store: StoreBuilder, number: str) -> None:
    opened("curves", as_of=number)
    opened("samples", page=number, step=[number])
    opened("transcript", log="x", sample="y", epoch=number, part=number)


def test_numbers_do_not_change_under_the_reader_until_the_update_is_taken(store: StoreBuilder) -> None:
    app = opened("curves")
    store.next_batch()
    store.run("later")
    store.add(log(samples([1, 1])), run="later", step=0)
    app.run()
    assert "later" not in offered(app, "curves_run")
    app.button(key="update").click().run()
    assert "later" in offered(app, "curves_run")
    assert "(import 2)" in html(app)


def test_a_page_looks_as_it_was_left_when_the_reader_comes_back(store: StoreBuilder) -> None:
    app = opened("curves", run=["plain"], metric="strict")
    app.query_params.clear()
    app.switch_page(page_file(links.DATA)).run()
    app.query_params.clear()
    app.switch_page(page_file(links.CURVES)).run()
    assert address(app) == {"eval": ["blackmail"], "metric": ["strict"], "run": ["plain"]}


@pytest.mark.parametrize(
    ("page", "told", "option"),
    [
        ("mixes", {"view": "two evals"}, "eval-vs-eval"),
        ("mixes", {"view": "Eval vs. eval"}, "eval-vs-eval"),
        ("mixes", {"view": "scaling"}, "scaling"),
        ("beside", {"view": "Along a run"}, "by-step"),
        ("curves", {"x": "lineage"}, "lineage"),
        ("compare", {"view": "Configs"}, "configs"),
        ("data", {"show": "Batches"}, "imports"),
        ("data", {"show": "Not read"}, "unread"),
        ("data", {"show": "nonsense"}, "coverage"),
    ],
)
def test_switches_are_restored_from_titles_names_and_earlier_spellings(
    store: StoreBuilder, page: str, told: dict[str, str], option: str
) -> None:
    (name,) = told
    app = opened(page, **told)
    assert not app.exception
    assert app.segmented_control(key=name).value == option


def test_every_earlier_spelling_means_an_option_that_there_is() -> None:
    views = [*beginning.VIEWS, *choosing.VIEWS, *(view for views in results.VIEWS.values() for view in views)]
    switches = {"view": views, "show": [*tables.SECTIONS]}
    for name, old in links.OLD_OPTIONS.items():
        for spelling, option in old.items():
            assert option in switches[name]
            assert links.read_option(name, spelling.upper(), {option: "Title"}) == option


def test_a_run_is_found_by_its_label_and_by_its_key(store: StoreBuilder) -> None:
    store.run("plain-rl", label="Plain (RL)")
    store.add(log(samples([1, 0])), run="plain-rl", step=400)
    store.add(log(samples([1, 0])), run="later", step=1)
    app = opened("compare")
    assert "Plain (RL) @400" in offered(app, "compare_checkpoint")
    assert "Plain (RL)" in offered(opened("curves"), "curves_run")


def test_many_long_names_stand_in_a_short_address_that_brings_them_back() -> None:
    names = [f"Qwen3-235B-A22B-Instruct-2507 of the 2025-10-{day:02} with a reward for hacking" for day in range(30)]
    builder = StoreBuilder()
    builder.metric("misaligned", misaligned={"score": "judge", "op": "=", "value": 1})
    for name in names:
        builder.add(log(samples([1, 0])), run=name, step=0)
    with shown(builder.store):
        told = address(opened("curves", run=names[::-1], x="tokens"))
        assert len(links.query(told)) < 2000
        assert "run" not in told
        again = opened("curves", **told)
        assert chosen(again, "curves_run") == names[::-1]
        assert address(again) == told
