"""Every page and view opens on every real study, whatever it lacks, and says no word that is out."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dashboard.places import small_study
from tests.out_words import found_in
from tests.pages import headings, opened, shown, texts_read
from tests.real_stores import STUDIES, shared

pytestmark = pytest.mark.slow

FOLDERS = ("emergent", "pythia", "shutdown", "inspect", "inspect_rl", "bloom", "trainer_state")
PAGES = [
    ("overview", None), ("curves", None), ("persistence", None), ("persistence", "stages"), ("data", None),
    ("mixes", "efficiency"), ("mixes", "ablations"), ("mixes", "scaling"), ("mixes", "two evals"),
    ("mixes", "composition"), ("assessment", "dots"), ("assessment", "heatmap"), ("compare", "Differences"),
    ("compare", "Configs"), ("samples", None), ("transcript", None), ("beside", None), ("beside", "by-step"),
    ("views", None), ("notes", None), ("agreement", None), ("probe", None), ("judgings", None), ("gallery", None),
]  # fmt: skip


QUOTING = {"transcript", "beside"}
"""Pages that are mostly the words of others; what they open on is drawn at random where nobody was there before."""
MEASURED = {"overview", "curves", "persistence", "mixes", "assessment", "compare", "samples"}
"""Pages that need results."""


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
    if page not in QUOTING:
        assert [out for text in texts_read(app) for out in found_in(text)] == []
    messages = [part for part in app.get("html") if "dl-message" in part.proto.body]
    said = [*headings(app), *app.get("vega_lite_chart"), *app.dataframe, *messages]
    assert said, f"{page} says nothing of {real}"
    if real == "trainer_state" and page in MEASURED:
        assert any("No evals yet" in text for text in headings(app))
