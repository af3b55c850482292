"""A review as a file: what its pages show, offline, and nothing in it alive."""

from __future__ import annotations

import io
import json
import re
import zipfile
from dataclasses import replace
from datetime import datetime
from html import unescape
from html.parser import HTMLParser
from typing import Any

import pandas as pd
import pytest
from markdown_it import MarkdownIt

from dashboard.access import Reader
from dashboard.app_pages.report.assemble import Plan, assemble, runs_told
from dashboard.app_pages.report.collect import COLLECTED
from dashboard.app_pages.report.replies import conversations_of
from dashboard.app_pages.report.sections import sample_in
from dashboard.exports.review import Conversation, Note, Review, View
from dashboard.exports.review_html import review_html
from dashboard.exports.review_markdown import block, plain, quoted, review_zip
from dashboard.queries.saved_views import SavedView, saved_view
from dashboard.queries.transcript import NoSuchSample
from dashboard.review.verdicts import give_verdict
from dashboard.review.views import save_view
from dashboard.texts.messages import Message, Part
from tests.builders import StoreBuilder, built_once, log, message, sample, samples, score
from tests.pages import html, opened, showing
from tests.saved_probes import eventful_probe

EVIL = "http://evil.example"
HOSTILE = (
    f"<script>document.title='owned'</script><img src={EVIL}/a onerror=alert(1)> ![x]({EVIL}/b)"
    f" [c](javascript:alert(1)) <{EVIL}/d> {EVIL}/e www.evil.example @somebody #1 ``` ` | </pre></td> </title>"
    " <!-- --> &lt; \\| *b* _i_ ~~s~~ $x$"
)
EDITOR = Reader("ana", "editor")


class Alive(HTMLParser):
    """Everything in a page that could load, run or lead somewhere."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, str, str | None]] = []
        self.tags: list[str] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            leads = name in ("src", "href", "xlink:href", "action", "data", "srcset", "poster")
            if (leads and not (value or "").startswith("#")) or name.startswith("on"):
                self.found.append((tag, name, value))
        if tag in ("script", "iframe", "object", "embed", "link", "base", "form", "img"):
            self.found.append((tag, "", None))

    def handle_data(self, data: str) -> None:
        self.text += data


@built_once
def built() -> StoreBuilder:
    builder = StoreBuilder()
    builder.metric("misaligned", misaligned={"score": "judge", "op": "=", "value": 1})
    builder.study("demo", title="A study", simulated="Made up by a script.")
    for run in ("a", "secret-b"):
        builder.run(run)
        for step in (0, 10):
            builder.add(log(samples([1, 0, 0, 0, step % 20])), run=run, step=step)
    said = [message("user", HOSTILE), message("assistant", f"I refuse. {HOSTILE}")]
    builder.add(
        log([sample("q" + HOSTILE, score(1, explanation=HOSTILE), messages=said)], task="talk"), run="a", step=20
    )
    return builder


store = showing(built)


def saved(store: StoreBuilder, page: str, as_of: int | None = None, title: str = "A view", **address: Any) -> str:
    parameters = {name: value if isinstance(value, list) else [value] for name, value in address.items()}
    return save_view(store.store, EDITOR, page=page, title=title, note=HOSTILE, as_of=as_of, address=parameters)


def transcripts(store: StoreBuilder) -> list[tuple[str, str, int]]:
    return store.execute(
        "SELECT eval_key, sample_key, epoch FROM live_samples(1) JOIN live_evals(1) USING (eval_id) WHERE task = 'talk'"
    )  # type: ignore[return-value]


def collected(*views: str) -> Any:
    app = opened("report", saved=list(views))
    app.text_area(key="report_introduction").set_value("What we saw").run()
    app.toggle(key="report_notes").set_value(False).run()
    app.button(key="collect").click().run()
    assert not app.exception
    # Other pages were visited meanwhile; what was written is still there.
    assert app.text_area(key="report_introduction").value == "What we saw"
    assert app.toggle(key="report_notes").value is False
    return app


def hostile_review() -> Review:
    parts = (Part("reasoning", HOSTILE, HOSTILE), Part("text", "`" * 7 + "\n" + HOSTILE))
    said = Message(HOSTILE, parts, speaker=HOSTILE)
    note = Note(HOSTILE, HOSTILE, ((HOSTILE, HOSTILE, f"{HOSTILE}\n# heading\n\n- list\n    code\n{HOSTILE}"),))
    talk = Conversation(
        HOSTILE, (HOSTILE,), ((HOSTILE, HOSTILE),), (said,), (Part("verdict", HOSTILE, HOSTILE),), (note,)
    )
    table = pd.DataFrame({HOSTILE: [HOSTILE, "@ | <img src=x onerror=alert(1)>", "@ \\| <b>"], "n": [1, 2, 3]})
    view = View(
        HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE, (HOSTILE,), (), table, (talk,), (note,), (HOSTILE,)
    )
    return Review(HOSTILE, HOSTILE, HOSTILE, (HOSTILE,), (view,), (talk,), HOSTILE)


def test_nothing_in_the_html_is_alive_whatever_was_written() -> None:
    page = Alive(review_html(hostile_review()).decode())
    assert page.found == []
    assert page.text.count(HOSTILE) > 20
    assert not {"b", "i", "a"} & set(page.tags) - {"a"}


def test_the_html_forbids_a_browser_to_load_or_run_anything() -> None:
    page = review_html(hostile_review()).decode()
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    assert policy
    assert "default-src 'none'" in unescape(policy[1])
    assert "script-src" not in policy[1]
    assert page.index("Content-Security-Policy") < page.index("<title>")


def markdown_html(text: str) -> Alive:
    """What CommonMark with GitHub's tables and links makes of a text."""
    return Alive(MarkdownIt("commonmark", {"html": True}).enable("table").render(text))


def test_nothing_in_the_markdown_is_alive_whatever_was_written() -> None:
    with zipfile.ZipFile(io.BytesIO(review_zip(hostile_review()))) as archive:
        text = archive.read("review.md").decode()
    rendered = markdown_html(text)
    assert rendered.found == []
    assert not {"a", "script", "img", "b", "svg"} & set(rendered.tags)
    # GitHub makes links by itself of what looks like one, outside of code.
    prose = re.sub(r"^(`{3,})text\n.*?^\1$", "", text, flags=re.S | re.M)
    assert not re.search(r"https?://|www\.|@\w|(?<!#)#\d", prose)


@pytest.mark.parametrize(
    "text",
    [
        HOSTILE,
        "a\\",
        "1. x",
        "12345) x",
        "- x",
        "# x",
        "x #",
        "a_b _c_ `d`",
        ":-: :smile: 02:43:10",
        "&amp; R&D",
        "![a](b) [c]: d",
        "> x",
        "=x",
        "a|b",
        "@me",
        "x" * 10_000,
    ],
)
def test_a_text_within_a_line_is_shown_as_it_is(text: str) -> None:
    for made in (plain(text), f"| {plain(text)} | b |\n| --- | --- |\n| {plain(text)} | c |"):
        shown_text = markdown_html(made).text.replace("\u2060", "")
        assert " ".join(text.split()) in " ".join(shown_text.split())
        assert markdown_html(made).found == []


@pytest.mark.parametrize("text", ["a\nb", "a\\\nb\\", "```\nx\n```", "# a\n\n- b\n    c", HOSTILE])
def test_what_people_wrote_is_a_quotation_line_by_line(text: str) -> None:
    page = markdown_html(quoted(text))
    assert [line.strip() for line in page.text.replace("\u2060", "").splitlines() if line.strip()] == [
        " ".join(line.split()) for line in text.splitlines() if line.strip()
    ]
    assert set(page.tags) <= {"blockquote", "p", "br"}


@pytest.mark.parametrize("text", ["```", "~~~\n````text\nx", "`````\n", HOSTILE, ""])
def test_a_block_ends_where_the_text_does(text: str) -> None:
    page = markdown_html(block(text) + "\n\nafter")
    assert page.tags == ["pre", "code", "p"]
    assert page.text.strip().endswith("after")


@pytest.mark.slow
def test_a_review_holds_what_the_pages_of_its_views_show(store: StoreBuilder) -> None:
    first = saved(store, "curves", eval="blackmail", run=["a", "secret-b"], title="Both")
    second = saved(store, "curves", eval="blackmail", run="a", interval="Clopper-Pearson", title="One")
    third = saved(store, "compare", checkpoint=["a@0", "a@10"])
    app = collected(first, second, third)
    found = app.session_state[COLLECTED]
    assert [view for view, _ in found] == [first, second, third]
    shown_by_pages = [
        opened("curves", eval="blackmail", run=["a", "secret-b"]),
        opened("curves", eval="blackmail", run="a", interval="Clopper-Pearson"),
        opened("compare", checkpoint=["a@0", "a@10"]),
    ]
    for kept, page in zip(found.values(), shown_by_pages, strict=True):
        drawn = list(page.session_state["_drawn"].values())
        assert len(kept.charts) == len(drawn) == 1
        for chart, own in zip(kept.charts, drawn, strict=True):
            pd.testing.assert_frame_equal(chart.numbers, own.data)
            assert chart.picture.spec["datasets"] == own.drawing.chart().to_dict()["datasets"]
    assert "3</b> views with <b>3</b> charts, <b>0</b> more transcripts" in html(app)
    assert len(app.get("download_button")) == 2


@pytest.mark.slow
def test_a_pinned_view_keeps_its_numbers_when_others_come_in(store: StoreBuilder) -> None:
    pinned = saved(store, "curves", as_of=1, eval="blackmail", run="a")
    newest = saved(store, "curves", eval="blackmail", run="a")
    before = [kept.charts[0].numbers for kept in collected(pinned, newest).session_state[COLLECTED].values()]
    store.next_batch()
    store.add(log(samples([1, 1, 1, 1])), run="a", step=30)
    after = collected(pinned, newest).session_state[COLLECTED].values()
    pd.testing.assert_frame_equal(before[0], next(iter(after)).charts[0].numbers)
    assert [kept.as_of for kept in after] == [1, 2]
    assert [len(kept.charts[0].numbers) for kept in after] == [2, 3]
    assert [kept.charts[0].picture.facts.as_of for kept in after] == [1, 2]


def plan(store: StoreBuilder, **more: Any) -> Plan:
    given = {"title": "T", "introduction": "", "author": "ana", "views": (), "samples": (), "with_notes": True}
    return Plan(**{**given, "as_of": 1, "notices": ("Simulated.",), **more})


def test_transcripts_come_whole_with_scores_and_where_they_are_from(store: StoreBuilder) -> None:
    made = plan(store, samples=tuple(transcripts(store)))
    review = assemble(store.store, (), made)
    (talk,) = review.conversations
    assert [message.role for message in talk.messages] == ["user", "assistant"]
    assert talk.messages[1].parts[0].text == f"I refuse. {HOSTILE}"
    assert talk.scores[0].text == HOSTILE
    assert ("Run", "a") in [(name, value.split(" (")[0]) for name, value in talk.about]
    assert "Folder" not in dict(talk.about)
    assert runs_told(review, made) == ("a",)
    page = Alive(review_html(review).decode())
    assert page.found == []
    assert f"I refuse. {HOSTILE}" in page.text


def test_what_a_reader_may_not_see_is_in_no_file_of_his(store: StoreBuilder) -> None:
    log_key, name, epoch = store.execute(
        "SELECT eval_key, sample_key, epoch FROM live_samples(1) JOIN live_evals(1) USING (eval_id)"
        " WHERE run = 'secret-b' LIMIT 1"
    )[0]
    made = plan(store, samples=((log_key, name, epoch),))
    assert assemble(store.store, (), made).conversations[0].runs == ("secret-b",)
    with pytest.raises(NoSuchSample):
        assemble(store.store, ("secret-*",), made)
    view = SavedView(
        "v", 1, "All", "", "samples", {}, None, [], False, "ana", datetime(2026, 1, 1), "ana", datetime(2026, 1, 1)
    )
    table = assemble(store.store, ("secret-*",), plan(store, views=((view, None),))).views[0].table
    assert table is not None
    assert set(table["run"]) == {"a"}


def test_a_view_of_a_transcript_that_is_gone_says_so_and_the_rest_is_there(store: StoreBuilder) -> None:
    view = SavedView(
        "v", 1, "Gone", "", "transcript", {"log": ["nope"], "sample": ["1"], "epoch": ["1"]}, None, [], False, "ana",
        datetime(2026, 1, 1), "ana", datetime(2026, 1, 1),
    )  # fmt: skip
    address = dict(zip(("log", "sample", "epoch"), ([str(x)] for x in transcripts(store)[0]), strict=True))
    there = replace(view, title="There", address=address)
    review = assemble(store.store, (), plan(store, views=((view, None), (there, None))))
    assert "No log with the key nope" in review.views[0].missing[0]
    assert len(review.views[1].conversations) == 1


@pytest.mark.slow
def test_markdown_has_its_pictures_and_numbers_beside_it(store: StoreBuilder) -> None:
    view = saved(store, "curves", eval="blackmail", run=["a", "secret-b"])
    kept = collected(view).session_state[COLLECTED][view, 1]
    with store.cursor() as cursor:
        review = assemble(store.store, (), plan(store, views=((saved_view(cursor, view), kept),)))
    with zipfile.ZipFile(io.BytesIO(review_zip(review))) as archive:
        names = archive.namelist()
        text = archive.read("review.md").decode()
        links = re.findall(r"(?<!\\)\]\(([^)]*)\)", text)
        assert sorted(names) == sorted(["review.md", *links])
        assert all(re.fullmatch(r"(pictures|numbers)/[a-z0-9-]+\.(png|csv|txt|tex)", link) for link in links)
        assert archive.read(links[0]).startswith(b"\x89PNG")
        back = pd.read_csv(io.BytesIO(archive.read(links[1])))
    assert back["rate"].tolist() == kept.charts[0].numbers["rate"].tolist()
    page = Alive(review_html(review).decode())
    assert page.tags.count("svg") >= 1
    assert page.found == []
    for value in kept.charts[0].numbers["high"]:
        assert f"{value:.4g}" in page.text
    assert "(import 1)" in page.text
    assert "Saved by ana" in page.text


def test_addresses_of_transcripts_are_read_whatever_is_before_them() -> None:
    query = "transcript?log=l%2F1&sample=a%20b%2Fc&epoch=2&as_of=3"
    for address in (query, f"https://host/prefix/{query}", f"http://127.0.0.1:8501/{query}", f"?{query[11:]}"):
        assert sample_in(address) == ("l/1", "a b/c", 2)
    for wrong in ("", "transcript", "http://[bad", "curves?run=a", "javascript:alert(1)"):
        assert sample_in(wrong) is None


def test_a_probe_comes_with_its_prompt_its_replies_and_who_judged_them(store: StoreBuilder) -> None:
    probe = eventful_probe(store.store)
    pairs = list(conversations_of(probe))
    assert len(pairs) == len({(reply.framing, reply.position, reply.sample) for reply in probe.replies})
    (first, replies) = pairs[0]
    words = [part.text for message in first.messages for part in message.parts]
    labels = [part.title for message in first.messages for part in message.parts]
    assert [reply.turn for reply in replies] == [0, 1, 2]
    assert {"Because I am asked.", "Why?", "Really?", "It threatens her.", "clear case", "not sure"} <= set(words)
    assert {"misaligned, by the judge, judge-7b", "No verdict, by the judge, other", "misaligned, by Ada"} <= set(
        labels
    )
    assert any(text.startswith("(failed: lab ended the reply") for text in words)
    prompt = json.loads(probe.framings)[0]["prompt"]["turns"][0]["text"]
    assert prompt in words
    when = datetime(2026, 1, 1)
    view = SavedView(
        "v", 1, "Probe", "", "probe", {"probe": [probe.probe_id]}, None, [], False, "ana", when, "ana", when
    )
    review = assemble(store.store, (), plan(store, views=((view, None),)))
    assert len(review.views[0].conversations) == len(pairs)
    page = Alive(review_html(review).decode())
    assert page.found == []
    assert all(text in page.text for text in words)


@pytest.mark.slow
@pytest.mark.parametrize(("epoch", "expected"), [([], [1, 1]), (["2"], [2, 2]), (["2", "1"], [2, 1]), (["9"], [1, 1])])
def test_a_question_side_by_side_comes_as_the_transcripts_of_its_checkpoints(
    store: StoreBuilder, epoch: list[str], expected: list[int]
) -> None:
    for step in (50, 60):
        store.add(log(samples([1, 0], epochs=2), task="twice"), run="a", step=step)
    name = store.execute("SELECT sample_key FROM live_samples(1) JOIN live_evals(1) USING (eval_id) WHERE step = 50")[
        0
    ][0]
    address = {"eval": ["twice"], "sample": [name], "checkpoint": ["a@60", "a@50"], "epoch": epoch}
    when = datetime(2026, 1, 1)
    view = SavedView("v", 1, "Both", "", "beside", address, None, [], False, "ana", when, "ana", when)
    review = assemble(store.store, (), plan(store, views=((view, None),)))
    titles = [one.title for one in review.views[0].conversations]
    assert titles == [f"twice · {name} · epoch {n} · a@{step}" for n, step in zip(expected, (60, 50), strict=True)]


def test_prose_is_readable_as_text() -> None:
    for text in ("29 Nov 2026, 02:43 UTC", "Judge: harmful = 1 (n = 60)", "run_label-2, −5.0%; “so”!"):
        assert plain(text) == text


def test_what_people_wrote_is_markdown_in_both_files() -> None:
    said = "# Why\n\nOne, *two*.\n\n- a"
    view = View("V", said, "", "curves", "", "", before=said, link="https://host/curves?run=a")
    review = Review("T", said, "", (), (view,), (), "1")
    page = Alive(review_html(review).decode())
    assert (page.tags.count("em"), page.tags.count("li")) == (3, 3 + 2)
    assert page.found == [("a", "href", "https://host/curves?run=a")]
    with zipfile.ZipFile(io.BytesIO(review_zip(review))) as archive:
        text = archive.read("review.md").decode()
    assert text.count(said) == 3
    assert "[Open in Driftline](https://host/curves?run=a)" in text


def test_human_labels_come_along_with_who_when_and_why(store: StoreBuilder) -> None:
    ((log_key, name, epoch),) = transcripts(store)
    for author, verdict in (("ana", "aligned"), ("ben", "misaligned")):
        give_verdict(
            store.store, Reader(author, "editor"), log=log_key, sample=name, epoch=epoch, metric="misaligned",
            verdict=verdict, note=f"Because, says {author}.", as_of=1,
        )  # fmt: skip
    review = assemble(store.store, (), plan(store, samples=((log_key, name, epoch),)))
    labels = review.conversations[0].labels
    assert [label.title.split(" · ")[0] for label in labels] == ["ana: ○ aligned", "ben: ● misaligned"]
    assert "Because, says ben." in Alive(review_html(review).decode()).text


def test_a_view_of_samples_has_the_rows_of_its_page(store: StoreBuilder) -> None:
    view = SavedView(
        "v", 1, "Some", "", "samples", {"rows": ["100"], "page": ["1"]}, None, [], False, "ana", datetime(2026, 1, 1),
        "ana", datetime(2026, 1, 1),
    )  # fmt: skip
    said = plan(store, views=((view, None),), before={"v": "*First*"}, base="http://host/base/report?title=x")
    made = assemble(store.store, (), said).views[0]
    assert made.before == "*First*"
    assert made.link == "http://host/base/samples?rows=100&page=1&as_of=1"
