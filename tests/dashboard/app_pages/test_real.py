"""Every page and view opens on every real study, whatever it lacks: steps, samples, parents, tokens, evals."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dashboard.places import small_study
from tests.pages import headings, opened, shown
from tests.real_stores import STUDIES, shared

FOLDERS = ("emergent", "pythia", "shutdown", "inspect", "inspect_rl", "bloom", "trainer_state")
PAGES = [
    ("overview", None), ("curves", None), ("persistence", None), ("persistence", "stages"), ("data", None),
    ("mixes", "efficiency"), ("mixes", "ablations"), ("mixes", "scaling"), ("mixes", "two evals"),
    ("mixes", "composition"), ("assessment", "dots"), ("assessment", "heatmap"), ("compare", "Differences"),
    ("compare", "Configs"), ("samples", None),
]  # fmt: skip


@pytest.fixture(scope="module", params=[None, *(pytest.param(name, marks=pytest.mark.slow) for name in FOLDERS)])
def real(request: pytest.FixtureRequest) -> Iterator[str]:
    """A folder of real logs beside the repository; the small study that comes along where none is named."""
    if request.param is None:
        folder, study = small_study(), None
    else:
        folder, study = request.getfixturevalue("shared_data") / request.param, STUDIES / f"{request.param}.yaml"
    with shown(shared(folder, study=study if study and study.exists() else None).store):
        yield folder.name


@pytest.mark.parametrize(("page", "view"), PAGES)
def test_a_page_opens_and_has_something_to_say(real: str, page: str, view: str | None) -> None:
    app = opened(page, **({"view": view} if view else {}))
    said = [*headings(app), *app.get("vega_lite_chart"), *app.dataframe]
    assert said, f"{page} says nothing of {real}"
    if real == "trainer_state" and page != "data":
        assert any("No evals yet" in text for text in headings(app))
