"""Charts as files: each holds the chart, its numbers, and what it is of."""

from __future__ import annotations

import io
import json
import struct
import zlib
from xml.etree import ElementTree

import altair as alt
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal
from statsmodels.stats.proportion import proportion_confint

from dashboard.charts.keys import Key
from dashboard.charts.palette import INKS
from dashboard.charts.spec import look, spec_of
from dashboard.exports.facts import Facts, facts_from, file_name, filters_of, slug
from dashboard.exports.picture import Picture, drawings, png, svg, svg_files, vega_lite
from dashboard.exports.tables import csv_of, parquet_of, read_parquet
from dashboard.kit.charts.frame import Drawn, made
from dashboard.queries.frame import RateQuery
from dashboard.queries.rates import rates
from loaders.errors import DriftlineError
from tests.builders import StoreBuilder, built_once, log, samples
from tests.pages import opened, showing, shown

HOSTILE = "</text><script>alert(1)</script><a href='http://evil.example'>&amp; ]]> \x00 ünï 漢字"
FACTS = Facts(
    title="Curves: blackmail", page="curves", studies=("A study",), notices=("A study: simulated, no model was run.",),
    definitions=("misaligned: judge = 1",), intervals=("Wilson",), filters=("evals: blackmail", "runs: a, b"),
    runs=("a", "b"), as_of=3, when="24 Nov 2026, 12:00 UTC", source="curves?eval=blackmail&run=a&as_of=3-abcdef",
)  # fmt: skip


@built_once
def built() -> StoreBuilder:
    builder = StoreBuilder()
    builder.metric("misaligned", misaligned={"score": "judge", "op": "=", "value": 1})
    builder.study("demo", title="A study", simulated=True)
    for run in ("a", "b"):
        builder.run(run, mix=run)
        for step in (0, 10, 20):
            for task in ("blackmail", "framing"):
                builder.add(log(samples([1, 0, 0, 0, step % 20], epochs=1), task=task), run=run, step=step)
    builder.run("never")
    builder.add(log(samples([0] * 100), task="blackmail"), run="never", step=10)
    return builder


store = showing(built)


@pytest.fixture(scope="module")
def of_a() -> Drawn:
    """The chart of one run's curve, as its page draws it."""
    with shown(built().store):
        (drawn,) = charts("curves", eval="blackmail", run=["a"])
    return drawn


def charts(page: str, **address: object) -> list[Drawn]:
    return list(opened(page, **address).session_state["_drawn"].values())


def picture(drawn: Drawn, facts: Facts = FACTS) -> Picture:
    return Picture(spec_of(drawn.drawing.chart(), drawn.scheme), facts, drawn.scheme, drawn.keys)


def chunks(content: bytes) -> list[tuple[bytes, bytes]]:
    """The chunks of a PNG, each with its checksum right."""
    assert content.startswith(b"\x89PNG\r\n\x1a\n")
    found, at = [], 8
    while at < len(content):
        (size,) = struct.unpack(">I", content[at : at + 4])
        kind, body = content[at + 4 : at + 8], content[at + 8 : at + 8 + size]
        assert struct.unpack(">I", content[at + 8 + size : at + 12 + size]) == (zlib.crc32(kind + body),)
        found.append((kind, body))
        at += 12 + size
    return found


def texts(content: bytes) -> dict[str, str]:
    """The international texts of a PNG."""
    entries = [body.split(b"\0", 1) for kind, body in chunks(content) if kind == b"iTXt"]
    return {keyword.decode(): rest.split(b"\0", 4)[-1].decode() for keyword, rest in entries}


PAGES = [
    ("curves", {"panels": "eval", "eval": ["blackmail", "framing"]}),
    ("overview", {"view": "chart"}),
    ("assessment", {"view": "dots"}),
    ("assessment", {"view": "heatmap"}),
    ("compare", {"checkpoint": ["a@0", "a@20", "b@20"]}),
]


@pytest.mark.slow
@pytest.mark.parametrize(("page", "address"), PAGES)
def test_every_chart_is_a_valid_specification_with_the_data_that_altair_puts_in(
    page: str, address: dict[str, object], store: StoreBuilder
) -> None:
    found = charts(page, **address)
    assert found
    for drawn in found:
        spec = spec_of(drawn.drawing.chart(), drawn.scheme)
        alt.Chart.from_dict(spec)  # validates against Vega-Lite's schema
        alone = drawn.drawing.chart().to_dict()
        assert spec["datasets"] == alone["datasets"]
        # Nothing but what binds it to a legend on the page is left out.
        for param in alone.get("params", []):
            if isinstance(param.get("bind"), dict) and "element" in param["bind"]:
                del param["bind"]
        assert {k: v for k, v in spec.items() if k not in ("config", "width")} == {
            k: v for k, v in alone.items() if k not in ("config", "width")
        }
        assert len(drawn.data)
        content = svg(picture(drawn))
        assert b"<path" in content
        assert_frame_equal(read_parquet(parquet_of(drawn.data, FACTS))[0], drawn.data, check_index_type=False)


@pytest.mark.slow
def test_the_numbers_are_the_rates_to_the_last_digit(store: StoreBuilder) -> None:
    (drawn,) = charts("curves", eval="blackmail", run=["a", "never"])
    with store.cursor() as cursor:
        expected = rates(cursor, RateQuery(runs=("a", "never"), evals=("blackmail",)), 1)
    order = ["run", "step"]
    got = drawn.data.sort_values(order).reset_index(drop=True)
    assert_frame_equal(got, expected.sort_values(order).reset_index(drop=True))
    back = pd.read_csv(io.BytesIO(csv_of(drawn.data, FACTS)))
    assert back["rate"].tolist() == drawn.data["rate"].tolist()
    assert back["high"].tolist() == drawn.data["high"].tolist()
    assert set(back["about_as_of"]) == {3}
    assert set(back["about_source"]) == {FACTS.source}
    assert set(back["about_title"]) == {"A study · Curves: blackmail"}
    assert set(back["about_notice"]) == {FACTS.notices[0]}
    frame, facts = read_parquet(parquet_of(drawn.data, FACTS))
    assert_frame_equal(frame, drawn.data)
    assert facts == FACTS


@pytest.mark.slow
def test_0_of_100_keeps_its_upper_bound_in_every_file(store: StoreBuilder) -> None:
    (drawn,) = charts("curves", eval="blackmail", run=["never"])
    upper = proportion_confint(0, 100, method="wilson")[1]
    assert upper == pytest.approx(0.0369935, abs=1e-7)
    spec = json.loads(vega_lite(picture(drawn)))
    highs = [row["high"] for rows in spec["datasets"].values() for row in rows if "high" in row]
    assert max(highs) == pytest.approx(upper, abs=1e-12)
    assert drawn.data["high"].tolist() == pytest.approx([upper], abs=1e-12)
    assert "3.7%" in svg(picture(drawn)).decode()


@pytest.mark.slow
def test_more_rows_than_altair_allows_are_all_there() -> None:
    frame = pd.DataFrame({"x": range(6_000), "y": 0.5})
    spec = spec_of(alt.layer(alt.Chart(frame).mark_point().encode(x="x:Q", y="y:Q")), "light")
    assert [len(rows) for rows in spec["datasets"].values()] == [6_000]


@pytest.mark.slow
def test_a_png_is_sharp_and_says_what_it_is_of(of_a: Drawn) -> None:
    content = png(picture(of_a))
    size = ElementTree.fromstring(svg(picture(of_a)))
    (header,) = [body for kind, body in chunks(content) if kind == b"IHDR"]
    wide, high = struct.unpack(">II", header[:8])
    assert (wide, high) == (round(2 * float(size.get("width", 0))), round(2 * float(size.get("height", 0))))
    told = texts(content)
    assert told["Title"] == "A study · Curves: blackmail"
    assert told["Source"] == FACTS.source
    assert told["Description"].splitlines() == [*FACTS.notices, *FACTS.lines()]
    assert facts_from(json.loads(told["driftline"])) == FACTS
    assert chunks(content)[-1] == (b"IEND", b"")


@pytest.mark.slow
def test_an_svg_says_in_words_and_in_metadata_what_it_is_of(of_a: Drawn) -> None:
    content = svg(picture(of_a)).decode()
    root = ElementTree.fromstring(content)
    words = " ".join("".join(element.itertext()) for element in root.iter() if element.tag.endswith("}text"))
    for told in ("A study · Curves: blackmail", *FACTS.notices, "misaligned: judge = 1", "Intervals: Wilson"):
        assert told in words
    assert "Data of 24 Nov 2026, 12:00 UTC (import 3) · Driftline" in words
    assert FACTS.source in words
    metadata = [element.text or "" for element in root if element.tag.endswith("}metadata")]
    assert [facts_from(json.loads(text)) for text in metadata] == [FACTS]


@pytest.mark.slow
def test_a_picture_of_a_dark_page_has_dark_paper(of_a: Drawn) -> None:
    contents = svg_files([Picture(spec_of(of_a.drawing.chart(), scheme), FACTS, scheme) for scheme in INKS])
    for (scheme, ink), content in zip(INKS.items(), contents, strict=True):
        assert f'fill="{ink.paper}"' in content.decode()
        assert look(scheme)["background"] == ink.paper


@pytest.mark.slow
def test_nothing_in_a_picture_is_alive_however_things_are_called(store: StoreBuilder) -> None:
    store.run(HOSTILE)
    store.add(log(samples([1, 0]), task="blackmail"), run=HOSTILE, step=5)
    (drawn,) = charts("curves", eval="blackmail", run=["a", HOSTILE])
    facts = Facts(title=HOSTILE, page="curves", filters=(HOSTILE,), source=HOSTILE, notices=(HOSTILE,))
    hostile = Picture(spec_of(drawn.drawing.chart(), "light"), facts, "light", (Key(HOSTILE, "#ff0000"),))
    for content in (svg(hostile), drawings([hostile], "p")[0].encode()):
        for element in ElementTree.fromstring(content).iter():
            assert element.tag.rpartition("}")[2] not in {"script", "a", "image", "foreignObject", "use", "style"}
            names = {name.rpartition("}")[2].lower() for name in element.attrib}
            assert not {name for name in names if name.startswith("on") or name == "href"}
    assert texts(png(hostile))["Title"] == HOSTILE.replace("\0", "")
    spec = json.loads(vega_lite(hostile))
    assert "http://evil.example" not in json.dumps({k: v for k, v in spec.items() if k in ("data", "$schema")})
    assert spec["usermeta"]["driftline"]["title"] == HOSTILE


def test_a_specification_that_would_load_something_is_refused() -> None:
    spec = {"$schema": "x", "data": {"url": "http://127.0.0.1:9/secret.csv"}, "mark": "bar", "encoding": {}}
    with pytest.raises(DriftlineError, match="can't be drawn"):
        drawings([Picture(spec, FACTS)], "")
    file = {**spec, "data": {"url": "file:///etc/passwd", "format": {"type": "csv"}}}
    with pytest.raises(DriftlineError, match="can't be drawn"):
        drawings([Picture(file, FACTS)], "")


@pytest.mark.slow
def test_no_text_ends_or_holds_up_the_process_that_draws() -> None:
    encoding = {"x": {"field": "a", "type": "nominal"}, "y": {"field": "b", "type": "quantitative"}}
    pictures = [
        Picture(
            {
                "$schema": alt.SCHEMA_URL,
                "data": {"values": [{"a": text, "b": 1}]},
                "mark": "bar",
                "encoding": encoding,
            },
            FACTS,
        )
        for text in ("\0", "a\x01b", "\ud800", "\ufffe", "x" * 3_000_000, "<!--", "]]>", "\u202e")
    ]
    contents = svg_files(pictures)
    assert len(contents) == len(pictures)
    for content in contents:
        assert ElementTree.fromstring(content).tag.endswith("svg")


@pytest.mark.slow
def test_a_drawing_that_fails_or_takes_too_long_is_told_and_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DriftlineError, match="can't be drawn"):
        svg(Picture({"mark": "nonsense"}, FACTS))
    monkeypatch.setattr("dashboard.exports.vega.SECONDS", 0.01)
    with pytest.raises(DriftlineError, match="longer than 0 s"):
        svg(Picture({"mark": "bar"}, FACTS))


@pytest.mark.slow
def test_drawings_of_one_page_have_ids_of_their_own(of_a: Drawn) -> None:
    ids = []
    for number, content in enumerate(drawings([picture(of_a), picture(of_a)], "p"), start=1):
        root = ElementTree.fromstring(content)
        ids += [element.get("id") for element in root.iter() if element.get("id")]
        used = [v for element in root.iter() for v in element.attrib.values() if v.startswith("url(")]
        assert all(value.startswith(f"url(#p{number}-") for value in used)
    assert len(ids) == len(set(ids))


def test_who_takes_a_file_is_written_down(store: StoreBuilder) -> None:
    content = made(store.store, "ana", "Data as CSV", FACTS, lambda: b"a\r\n1\r\n")
    assert content == b"a\r\n1\r\n"
    rows = store.execute("SELECT who, action, subject, address, runs FROM audit")
    assert rows == [("ana", "export", "Curves: blackmail as CSV", FACTS.source, ["a", "b"])]


@pytest.mark.slow
def test_the_menu_is_under_every_chart_and_makes_nothing_by_itself(
    store: StoreBuilder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a chart was drawn for nobody")

    monkeypatch.setattr("dashboard.exports.vega._ask", refuse)
    monkeypatch.setattr("dashboard.kit.charts.frame.spec_of", refuse)
    app = opened("curves", panels="eval", eval=["blackmail", "framing"])
    assert [
        popover.proto.popover.label for popover in app.get("popover") if popover.proto.popover.label == "Export"
    ] == [
        "Export",
        "Export",
    ]


@pytest.mark.slow
def test_the_facts_are_those_of_the_page(store: StoreBuilder) -> None:
    from dashboard.access import Reader
    from dashboard.app_pages.report.collect import COLLECTED
    from dashboard.review.views import save_view

    view = save_view(
        store.store, Reader("ana", "editor"), page="curves", title="v",
        address={"eval": ["blackmail"], "run": ["a"], "interval": ["Clopper-Pearson"]},
    )  # fmt: skip
    app = opened("report", saved=view)
    app.button(key="collect").click().run()
    assert not app.exception
    (found,) = app.session_state[COLLECTED].values()
    facts = found.charts[0].picture.facts
    assert facts.studies == ("A study",)
    assert facts.notices[0].startswith("A study: Simulated data")
    assert facts.definitions == ("misaligned: judge = 1",)
    assert facts.intervals == ("Clopper-Pearson",)
    assert {"evals: blackmail", "metric: misaligned", "runs: a", "confidence interval: clopper-pearson"} <= set(
        facts.filters
    )
    assert facts.runs == ("a",)
    assert facts.as_of == 1
    assert facts.source.startswith("curves?eval=blackmail")
    assert "as_of=1-" in facts.source


def test_files_have_names_that_every_system_takes() -> None:
    facts = Facts(title="Curves: ../../etc/passwd \0 ünï 漢字" + "x" * 500, page="curves", as_of=7)
    name = file_name(facts, "png")
    assert name.startswith("driftline-curves-etc-passwd-uni-")
    assert name.endswith("-batch-7.png")
    assert len(name) < 120
    assert slug("漢字") == ""


def test_filters_in_words() -> None:
    address = {"eval": ["a", "b"], "run": [""], "point": ["p"], "as_of": ["3"], "where": ["metadata.x=1"]}
    assert filters_of(address) == ("evals: a, b", "runs: none", "samples with: metadata.x=1")
