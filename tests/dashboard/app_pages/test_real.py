"""Every page and view opens on every real study, whatever it lacks: steps, samples, parents, tokens, evals."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pages import headings, opened, shown
from tests.real_stores import STUDIES, shared

pytestmark = pytest.mark.slow

PAGES = [
    ("overview", None), ("curves", None), ("persistence", None), ("persistence", "stages"), ("data", None),
    ("mixes", "efficiency"), ("mixes", "ablations"), ("mixes", "scaling"), ("mixes", "two evals"),
    ("mixes", "composition"), ("assessment", "dots"), ("assessment", "heatmap"), ("compare", "Differences"),
    ("compare", "Configs"), ("samples", None),
]  # fmt: skip


@pytest.fixture(
    scope="module", params=["emergent", "pythia", "shutdown", "inspect", "inspect_rl", "bloom", "trainer_state"]
)
def real(request: pytest.FixtureRequest, shared_data: Path) -> Iterator[str]:
    study = STUDIES / f"{request.param}.yaml"
    with shown(shared(shared_data / request.param, study=study if study.exists() else None).store):
        yield request.param


@pytest.mark.parametrize(("page", "view"), PAGES)
def test_a_page_opens_and_has_something_to_say(real: str, page: str, view: str | None) -> None:
    app = opened(page, **({"view": view} if view else {}))
    said = [*headings(app), *app.get("vega_lite_chart"), *app.dataframe]
    assert said, f"{page} says nothing of {real}"
    if real == "trainer_state" and page != "data":
        assert any("No evals yet" in text for text in headings(app))
