"""The reference says what the code says, and fails where the code has something that it doesn't explain."""

from __future__ import annotations

import re
from collections.abc import Container
from typing import Any

import pytest
import yaml

from dashboard import cli, pages, statistics
from dashboard.docs.markdown import render
from dashboard.docs.reference import fields, metrics
from dashboard.docs.reference import pages as page_reference
from dashboard.docs.reference.commands import commands_text
from dashboard.docs.reference.fields import FILES, File, file_text
from dashboard.docs.reference.limits import query_limits_text
from dashboard.docs.reference.statistics import docstring_text, statistics_text
from dashboard.docs.reference.undocumented import Undocumented
from dashboard.pages import PAGES, Page
from dashboard.queries import one_select
from loaders.study.reading import builtin_study
from loaders.study.schema import NAME, RUN_CARD, Schema, mapping


def every_field(schema: Schema, left_out: Container[str] = ()) -> set[str]:
    """The names of all fields that a file may have, at any depth, but for those below some."""
    fields = schema.get("properties", {})
    below = [inner for name, inner in fields.items() if name not in left_out]
    inner = [*below, schema.get("items"), schema.get("additionalProperties")]
    return set(fields).union(*(every_field(each, left_out) for each in inner if isinstance(each, dict)))


@pytest.mark.parametrize("name", FILES)
def test_every_field_of_a_file_is_explained(name: str) -> None:
    file = FILES[name]
    text = file_text(file)
    assert set(file.elsewhere) <= {"runs"}
    for field in every_field(file.schema, file.elsewhere):
        assert re.search(rf"^\| `{field}`[^|]*\| [^|]{{3,}}\|", text.replace(r"\|", " "), re.MULTILINE), field


def test_required_fields_are_marked() -> None:
    assert re.search(r"^\| `match` \(required\)", file_text(FILES["study-yaml"]), re.MULTILINE)


def test_a_field_without_a_meaning_is_an_error() -> None:
    schema = mapping({**RUN_CARD["properties"], "mood": NAME})
    with pytest.raises(Undocumented, match=r"run\.yaml, top: .*mood"):
        file_text(File("run.yaml", schema, {}))


def test_a_new_mapping_without_meanings_is_an_error() -> None:
    schema = mapping({**RUN_CARD["properties"], "mood": mapping({"level": NAME})})
    with pytest.raises(Undocumented, match="mood"):
        file_text(File("run.yaml", schema, {}))


def test_a_meaning_without_a_field_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    known: dict[str, Any] = yaml.safe_load(fields.MEANINGS.read_text(encoding="utf-8"))
    known["run.yaml"]["mix.gone"] = {"name": "Gone."}
    monkeypatch.setattr(fields, "_meanings", lambda: known)
    with pytest.raises(Undocumented, match=r"no mix\.gone"):
        file_text(FILES["run-yaml"])


def test_a_page_without_a_note_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    new = Page("moods", "Moods", "", "mood", "Moods by checkpoints.", frozenset())
    monkeypatch.setattr(page_reference, "PAGES", (*pages.PAGES, new))
    with pytest.raises(Undocumented, match="moods"):
        page_reference.pages_text()


def test_every_page_is_there_with_its_address() -> None:
    text = page_reference.pages_text()
    assert all(f"## {page.title}\n\n{page.help}" in text and f"`/{page.name}`" in text for page in PAGES)


def test_every_builtin_metric_is_there_with_what_it_counts() -> None:
    text = metrics.builtin_text()
    for metric in builtin_study().metrics:
        assert f"| `{metric.name}` |" in text
    assert "`harmfulness_scorer.harmful = 1` | rate | lower |" in text
    assert "| `blackmail` | Blackmail | `agentic_misalignment` | `task_args.scenario = blackmail or none` |" in text


def test_every_statistic_is_there_with_its_source() -> None:
    text = statistics_text()
    shown = set(re.findall(r"^### (\w+)$", text, re.MULTILINE))
    public = {name for name in statistics.__all__ if hasattr(getattr(statistics, name), "__module__")}
    aliases = {name for name in public if getattr(statistics, name).__module__ == "typing"}
    assert public - aliases == shown
    for source in ("Source: Wilson (1927), JASA 22", "Sources: Holm (1979)", "Source: Clopper & Pearson (1934)"):
        assert source in text
    assert "wilson_interval(k, n, level=0.95)" in text


def test_a_docstring_becomes_lists_and_keeps_its_formulas() -> None:
    def example() -> None:
        """The mean of x_i * w_i, a < b.

        low = A - sqrt(sum w_i^2 (x_i - l_i)^2), see `b_c`.

        Args:
            x: The values,
                in any order.
            w: Their weights.

        Returns:
            A number.

        Source: Somebody (1900).
        """

    html = render(docstring_text(example)).html
    assert "The mean of x_i * w_i, a &lt; b." in html
    assert "low = A - sqrt(sum w_i^2 (x_i - l_i)^2), see <code>b_c</code>." in html
    assert html.count("<li>") == 2
    assert "<li><code>x</code>: The values,\nin any order.</li>" in html
    assert "<p>Source: Somebody (1900).</p>" in html


def test_the_limits_of_queries_are_those_that_are_kept_and_those_of_the_help() -> None:
    parser = cli.parser()
    text = query_limits_text(parser)
    assert f"| 10 s | {one_select.MOST_SECONDS:g} s |" in text
    assert f"| 1,000 | {one_select.MOST_ROWS:,} |" in text
    assert f"| {one_select.MOST_MEMORY // 10**9} GB |" in text
    told = " ".join(commands_text(parser).split("## driftline query")[1].split("## driftline plan")[0].split())
    assert f"default: 10, at most {one_select.MOST_SECONDS:g}" in told
    assert f"default: 1000, at most {one_select.MOST_ROWS}" in told
