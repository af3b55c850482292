"""Files out of a real browser: a chart in five forms, a review that opens offline and asks nobody for anything."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pandas as pd
import pytest
from playwright.sync_api import BrowserContext, Download, Page, expect

from tests.browser.conftest import BRIEFLY, WAIT, press, reader_of
from tests.browser.test_hostile import EVIL, HOSTILE
from tests.driftline import viewing
from tests.log_files import write_log

pytestmark = pytest.mark.browser

STUDY = "title: Made up\nsimulated: No model was run.\n"


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder: Path = tmp_path_factory.mktemp("hostile")
    for step in (0, 100):
        write_log(
            folder / "run-a" / f"step_{step}" / "a.eval", [1, 0, 1], task="honey" + HOSTILE, model="m/" + HOSTILE,
            reply=HOSTILE, scorer="judge" + HOSTILE, metadata={"note": HOSTILE}, tags=[HOSTILE],
        )  # fmt: skip
    (folder / "study.yaml").write_text(STUDY)
    with viewing(folder, data=tmp_path_factory.mktemp("data")) as (origin, _):
        yield origin


def download(page: Page, name: str) -> Download:
    with page.expect_download(timeout=WAIT) as waiting:
        press(page.get_by_role("button", name=name, exact=True))
    return waiting.value


def test_a_chart_is_taken_along_in_five_forms(hostile: str, context: BrowserContext, tmp_path: Path) -> None:
    reader = reader_of(context, hostile)
    reader.go("/curves?run=run-a")
    reader.wait_for('path[aria-label^="run-a@100, "]')
    press(reader.page.get_by_role("button", name="Export").first)
    files = {}
    figures = ("Figure, PNG 300 dpi", "Figure, PDF", "Figure, SVG", "Figure, caption")
    for name in ("PNG", "SVG", "Vega-Lite", "Data as CSV", "Data as Parquet", *figures):
        got = download(reader.page, name)
        files[name] = tmp_path / got.suggested_filename
        got.save_as(files[name])
    assert files["PNG"].read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    svg = files["SVG"].read_text(encoding="utf-8")
    assert "No model was run." in svg
    assert not [e for e in ElementTree.fromstring(svg).iter() if e.tag.rpartition("}")[2] in ("script", "a", "image")]
    told = json.loads(files["Vega-Lite"].read_text(encoding="utf-8"))["usermeta"]["driftline"]
    assert told["runs"] == ["run-a"]
    assert re.fullmatch(r"curves\?.*run=run-a.*as_of=1-[0-9a-f]{6}", told["source"])
    table, whole = pd.read_csv(files["Data as CSV"]), pd.read_parquet(files["Data as Parquet"])
    assert table["rate"].tolist() == whole["rate"].tolist() == [2 / 3, 2 / 3]
    assert set(table["about_as_of"]) == {1}
    assert files["Figure, PDF"].read_bytes().startswith(b"%PDF")
    assert "No model was run." in files["Figure, caption"].read_text(encoding="utf-8")
    assert reader.foreign == []


def test_samples_are_taken_along_harmless_and_by_no_other_button(
    hostile: str, context: BrowserContext, tmp_path: Path
) -> None:
    reader = reader_of(context, hostile)
    reader.go("/samples?run=run-a&step=100")
    got = tmp_path / "samples.csv"
    press(reader.page.get_by_role("button", name="Actions"))
    download(reader.page, "Download as CSV").save_as(got)
    table = pd.read_csv(got)
    assert len(table) == 3
    assert set(table["run"]) == {"run-a"}
    assert table["reply"].tolist() == [HOSTILE] * 3
    reader.page.keyboard.press("Escape")
    reader.page.get_by_test_id("stMain").get_by_test_id("stDataFrame").first.hover()
    expect(reader.page.locator('button[aria-label^="Fullscreen"]').first).to_be_visible(timeout=WAIT)
    expect(reader.page.locator('button[aria-label^="Download as CSV: "]')).to_be_hidden(timeout=BRIEFLY)


def test_a_review_opens_offline_shows_all_and_asks_nobody(
    hostile: str, context: BrowserContext, tmp_path: Path
) -> None:
    reader = reader_of(context, hostile)
    page = reader.page
    reader.go("/curves?run=run-a")
    reader.wait_for('path[aria-label^="run-a@100, "]')
    press(page.get_by_role("button", name="Save view"))
    page.get_by_label("Title", exact=True).fill("Curves " + HOSTILE[:150])
    page.get_by_label("Note", exact=True).fill(HOSTILE)
    press(page.get_by_role("button", name="Save", exact=True))
    view = page.locator("code", has_text="view=").first
    view.wait_for(timeout=WAIT)
    name = view.inner_text().rpartition("view=")[2].strip()
    reader.go("/samples")
    reader.click_row(0)
    reader.wait_for(".dl-message.assistant")
    address = page.url
    reader.go(f"/report?saved={name}&title=Review")
    page.get_by_label("More transcripts").fill(address)
    page.get_by_label("More transcripts").press("Control+Enter")
    expect(page.get_by_text("1 transcript found.")).to_be_visible(timeout=WAIT)
    press(page.get_by_role("button", name="Render charts"))
    expect(page.get_by_text("1 view with")).to_contain_text("1 view with 1 chart, 1 more transcript", timeout=WAIT)
    whole = tmp_path / "review.html"
    download(page, "Download HTML").save_as(whole)
    archive = tmp_path / "review.zip"
    download(page, "Download Markdown (with pictures)").save_as(archive)
    assert reader.foreign == []
    with zipfile.ZipFile(archive) as beside:
        assert {n.partition("/")[0] for n in beside.namelist()} == {"review.md", "pictures", "numbers"}
        assert {n.rpartition(".")[2] for n in beside.namelist()} == {"md", "png", "csv", "txt", "tex"}

    offline = context.browser.new_context()  # type: ignore[union-attr]
    try:
        offline.set_offline(True)
        alone = offline.new_page()
        asked: list[str] = []
        alone.on("request", lambda request: asked.append(request.url))
        alone.on("dialog", lambda dialog: asked.append(f"dialog {dialog.message}"))
        alone.goto(whole.as_uri())
        expect(alone.get_by_role("heading", level=1)).to_have_text("Review")
        assert alone.locator("figure svg").count() == 1
        assert alone.locator("figure svg").bounding_box()["width"] > 400  # type: ignore[index]
        expect(alone.locator("table").first).to_contain_text("0.6667")
        expect(alone.locator("body")).to_contain_text("No model was run.")
        assert f"![x]({EVIL}/c.png)" in alone.locator(".turn").last.inner_text()
        links = alone.eval_on_selector_all("[href], [src]", "all => all.map(e => e.getAttribute('href') || e.src)")
        # Nothing is loaded, and only the view itself is led to.
        outside = [link for link in links if not link.startswith("#")]
        assert outside
        assert all(link.startswith(f"{reader.origin}/curves?") for link in outside)
        assert alone.title() == "Review"
        assert asked == [whole.as_uri()]
        # What a hostile text would have to get in would not run either.
        alone.evaluate("document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=\"document.title=1\">')")
        alone.wait_for_timeout(300)
        assert alone.title() == "Review"
    finally:
        offline.close()
