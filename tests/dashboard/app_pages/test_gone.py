"""Addresses that name what isn't there (any more): the page says so, and links to the nearest thing there is."""

from __future__ import annotations

from html import unescape
from html.parser import HTMLParser
from urllib.parse import parse_qs, urlsplit

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.access import Reader
from dashboard.kit import caches
from dashboard.kit.page import reader
from tests.builders import StoreBuilder, built_once, log, message, sample, samples, score
from tests.pages import address, headings, html, opened, showing

pytestmark = pytest.mark.slow


@built_once
def built() -> StoreBuilder:
    builder = StoreBuilder()
    builder.metric("misaligned", misaligned={"score": "judge", "op": "=", "value": 1})
    builder.metric("strict", misaligned={"score": "judge", "op": ">", "value": 0})
    for run in ("documents-rl", "documents/sft", "secret-documents-rl"):
        builder.run(run)
        for step in (0, 100, 400):
            held = [sample("q/1", score(1), messages=[message("user", f"asked {run}")]), sample("q/2", score(0))]
            builder.add(log(held, log_eval_id=f"{run}:{step}"), run=run, step=step)
    return builder


store = showing(built)


class Anchors(HTMLParser):
    """Collects the addresses and texts of links."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, list[str]]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            address = urlsplit(dict(attrs)["href"] or "")
            assert not address.netloc
            assert not address.scheme
            self.found.append((address.path, parse_qs(address.query)))


def offered(app: AppTest) -> list[tuple[str, dict[str, list[str]]]]:
    """Page and parameters of the links that a page's own HTML holds."""
    return Anchors(html(app)).found


def told(app: AppTest) -> str:
    """The page's HTML as it reads."""
    return unescape(html(app))


@pytest.mark.parametrize(
    ("page", "name", "gone", "nearest"),
    [
        ("curves", "run", "document-rl", "documents-rl"),
        ("curves", "eval", "blackmial", "blackmail"),
        ("curves", "metric", "misalignd", "misaligned"),
        ("curves", "point", "blackmail | misaligned | documents-rl@401", "blackmail | misaligned | documents-rl@400"),
        ("assessment", "checkpoint", "documents-rl@90", "documents-rl@100"),
        ("compare", "checkpoint", "documents/sft@399", "documents/sft@400"),
        ("samples", "run", "DOCUMENTS/SFT!", "documents/sft"),
        ("samples", "step", "390", "400"),
        ("beside", "checkpoint", "documents/stf@0", "documents/sft@400"),
        ("beside", "eval", "black", "blackmail"),
        ("beside", "sample", "q/11", "q/1"),
    ],
)
def test_a_name_that_nothing_bears_is_told_with_the_nearest_as_a_link(
    store: StoreBuilder, page: str, name: str, gone: str, nearest: str
) -> None:
    app = opened(page, **{name: [gone]})
    assert f"“{gone}” here" in told(app)
    links = [parameters for path, parameters in offered(app) if path == "" and name in parameters]
    assert nearest in [value for parameters in links for value in parameters[name]]
    again = opened(page, **links[0])
    assert f"“{gone}” here" not in told(again)


def test_only_the_name_that_is_gone_is_replaced(store: StoreBuilder) -> None:
    app = opened("compare", checkpoint=["documents-rl@0", "documents-rl@399"], eval="blackmail")
    assert offered(app)[0][1]["checkpoint"] == ["documents-rl@0", "documents-rl@400"]
    assert offered(app)[0][1]["eval"] == ["blackmail"]


def test_names_of_hidden_runs_are_never_suggested(store: StoreBuilder, monkeypatch: pytest.MonkeyPatch) -> None:
    somebody = Reader("somebody", "viewer", hidden=("secret*",), signed_in=True)
    for module in (caches, reader):
        monkeypatch.setattr(module, "reader", lambda: somebody)
    for page, name, gone in (("curves", "run", "secret-documents"), ("compare", "checkpoint", "secret-documents-rl@0")):
        app = opened(page, **{name: [gone]})
        assert "secret-documents-rl@" not in told(app).replace(gone, "")
        assert all("secret-documents-rl" not in str(link).replace(gone, "") for link in offered(app))
    app = opened("transcript", log="secret-documents-rl:0", sample="q/1")
    assert "No log with the key" in told(app)
    assert all(not parameters["log"][0].startswith("secret") for _, parameters in offered(app))


def test_a_sample_that_is_gone_leads_to_others_of_its_log(store: StoreBuilder) -> None:
    app = opened("transcript", log="documents-rl:100", sample="q/12")
    assert "holds no sample q/12" in told(app)
    path, parameters = offered(app)[0]
    assert (path, parameters["log"]) == ("transcript", ["documents-rl:100"])
    assert parameters["sample"][0] in ("q/1", "q/2")


def test_an_epoch_that_is_gone_leads_to_the_one_that_is_there(store: StoreBuilder) -> None:
    app = opened("transcript", log="documents-rl:100", sample="q/1", epoch="7")
    path, parameters = offered(app)[0]
    assert (path, parameters) == ("transcript", {"log": ["documents-rl:100"], "sample": ["q/1"], "epoch": ["1"]})
    assert "asked documents-rl" in html(opened("transcript", **parameters))


def test_a_log_that_is_gone_leads_to_the_batch_in_which_it_was_and_to_the_question_nearby(store: StoreBuilder) -> None:
    store.next_batch()
    of = "(SELECT source_id FROM evals WHERE eval_key = 'documents-rl:100')"
    store.execute(f"UPDATE sources SET batch_to = 2 WHERE source_id = {of}")
    app = opened("transcript", log="documents-rl:100", sample="q/1")
    found = offered(app)
    assert found[0][1] == {"log": ["documents-rl:100"], "sample": ["q/1"], "epoch": ["1"], "as_of": ["1"]}
    assert found[1][1]["log"] == ["documents-rl:0"]
    assert "asked documents-rl" in html(opened("transcript", **found[0][1]))
    # As of the batch in which it was, links stay there.
    pinned = opened("transcript", log="documents-rl:100", sample="q/none", as_of="1")
    assert all(parameters["as_of"] == ["1"] for _, parameters in offered(pinned))


def test_a_log_that_came_later_is_offered_as_of_its_batch(store: StoreBuilder) -> None:
    store.next_batch()
    store.add(log(samples([1]), log_eval_id="LATER"), run="documents-rl", step=800)
    app = opened("transcript", log="LATER", sample="0", as_of="1")
    assert offered(app)[0][1]["as_of"] == ["2"]


def test_an_empty_list_of_samples_says_which_part_of_the_filter_nothing_passes(store: StoreBuilder) -> None:
    def says(**address: str) -> str:
        return " ".join(headings(opened("samples", **address)))

    assert "Even alone, these match none: **Runs**." in says(run="gone", step="100")
    assert "Even alone, these match none: **Text**." in says(run="documents-rl", text="nowhere to be found")
    assert "but none matches all" in says(in_log="documents-rl:0", step="100")


def test_a_definition_that_is_gone_is_told_and_the_default_counts(store: StoreBuilder) -> None:
    app = opened("curves", metric="strictly")
    assert "No metric “strictly” here" in told(app)
    assert address(app)["metric"] == ["misaligned"]


def test_a_name_that_is_there_is_not_talked_about(store: StoreBuilder) -> None:
    for page in ("overview", "curves", "mixes", "persistence", "assessment", "compare", "beside", "samples", "data"):
        assert "” here" not in told(opened(page))
