"""The document that the pages run in: Streamlit's own with our script, and none where an address names no page."""

from __future__ import annotations

from pathlib import Path

import pytest
import streamlit
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.routing import Mount
from starlette.testclient import TestClient
from streamlit.web.server.starlette.starlette_static_routes import create_streamlit_static_handler

from dashboard.cli import parser
from dashboard.docs.routes import routes as documentation
from dashboard.document import LOOK, SCRIPTS, SIDEBAR, Document

STATIC = Path(streamlit.__file__).with_name("static")
READS = {"accept": "text/html,*/*"}


def served(base_path: str = "") -> TestClient:
    """What a browser gets: the files as Streamlit serves them, packed where it may be."""
    files = Mount(f"/{base_path}", create_streamlit_static_handler(str(STATIC), base_path))
    middleware = [Middleware(Document, base_path=base_path), Middleware(GZipMiddleware)]
    return TestClient(Starlette(routes=[*documentation(base_path, parser()), files], middleware=middleware))


@pytest.mark.parametrize(("base_path", "path"), [("", "/"), ("", "/curves"), ("lab/logs", "/lab/logs/curves")])
def test_a_page_has_our_scripts_before_any_other_and_our_look(base_path: str, path: str) -> None:
    answer = served(base_path).get(path, headers=READS)
    assert answer.status_code == 200
    assert "<title>Driftline</title>" in answer.text
    assert LOOK.read_text() in answer.text
    for script in SCRIPTS:
        assert answer.text.index(script.read_text()) < answer.text.index('<script type="module"')
    assert int(answer.headers["content-length"]) == len(answer.content)
    # What a browser has kept of another version of us is no answer to it.
    assert "etag" not in answer.headers


@pytest.mark.parametrize("base_path", ["", "lab"])
def test_an_address_that_names_no_page_says_so_and_leads_on(base_path: str) -> None:
    answer = served(base_path).get(f"/{base_path}/nosuch<b>".replace("//", "/"), headers=READS)
    assert answer.status_code == 404
    assert "There is no page “nosuch&lt;b&gt;”" in answer.text
    assert '<a href="./overview">Overview</a>' in answer.text
    assert "audit" not in answer.text


def test_links_of_a_deeper_address_lead_up_to_the_pages() -> None:
    assert '<a href="../overview">' in served().get("/curves/deeper", headers=READS).text


@pytest.mark.slow
@pytest.mark.parametrize("base_path", ["", "lab/logs"])
def test_the_documentation_lies_beside_the_pages_as_it_is(base_path: str) -> None:
    client = served(base_path)
    answer = client.get(f"/{base_path}/docs".replace("//", "/"), headers=READS)
    assert answer.status_code == 200
    assert answer.url.path.endswith("/docs/index.html")
    assert '<nav aria-label="Pages">' in answer.text
    assert SCRIPTS[0].read_text() not in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    for name in ("docs.css", "tutorial.html"):
        assert client.get(str(answer.url.join(name)), headers=READS).status_code == 200
    assert client.get(str(answer.url.join("../docs/nosuch.html")), headers=READS).status_code == 404


def test_other_files_pass_as_they_are() -> None:
    answer = served().get("/manifest.json")
    assert answer.text == (STATIC / "manifest.json").read_text()
    again = served().get("/manifest.json", headers={"if-none-match": answer.headers["etag"]})
    assert again.status_code == 304


def test_the_sidebar_has_its_room_where_a_page_has_one() -> None:
    assert SIDEBAR in served().get("/curves", headers=READS).text
    assert SIDEBAR not in served().get("/views", headers=READS).text
