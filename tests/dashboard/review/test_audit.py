"""The audit log: what is written down, who may read it, and what of it."""

from __future__ import annotations

from datetime import datetime

import pytest

from dashboard.queries.audit import AuditFilter, audit_page, people
from dashboard.review.audit import record
from loaders.store import Store
from tests.builders import StoreBuilder, log, samples
from tests.pages import everything, html, opened, opened_by, shown
from tests.private_runs import INSIDER, MARKER, OUTSIDER, POLICY

VIEWER = {"email": "vic@example.org", "groups": ["guests"]}


@pytest.fixture
def store() -> Store:
    builder = StoreBuilder()
    builder.run(f"{MARKER}-run", label=f"The {MARKER}")
    builder.add(log(samples([1, 0])), run="plain", step=1)
    builder.add(log(samples([1, 0])), run=f"{MARKER}-run", step=1)
    store = builder.store
    record(store, "ada", "export", "rates as CSV", address="curves?run=plain", runs=["plain"])
    record(store, "bo", "share", "a frozen link", address="https://example.org/curves?run=plain&as_of=1-abcdef")
    record(store, "=cmd()", "note", '=HYPERLINK("http://evil")', runs=["plain"], details={"thread": 1})
    # Rows about the private run: by its runs, its address, its name in words, its label in an address.
    record(store, "ina", "export", "rates as CSV", runs=["plain", f"{MARKER}-run"])
    record(store, "ina", "share", "a frozen link", address=f"https://example.org/curves?run={MARKER}-run")
    record(store, "ina", "note", f"thread on {MARKER}-run@1")
    record(store, "ina", "share", "a frozen link", address=f"samples?text=The+{MARKER}")
    with store.cursor() as cursor:
        found = cursor.execute("SELECT eval_key FROM evals JOIN placements USING (eval_id) WHERE run LIKE 'z%'")
        (key,) = found.fetchone() or ("",)
    record(store, "ina", "share", "a frozen link", address=f"https://example.org/transcript?log={key}&sample=0")
    return store


def test_rows_are_filtered_and_paged_newest_first(store: Store) -> None:
    def subjects(page: int = 0, size: int | None = None, **wanted: object) -> list[str]:
        with store.cursor() as cursor:
            return list(audit_page(cursor, AuditFilter(**wanted), page, size)["who"])  # type: ignore[arg-type]

    assert subjects() == ["ina"] * 5 + ["=cmd()", "bo", "ada"]
    assert subjects(page=2, size=3) == ["bo", "ada"]
    assert subjects(who=("ada", "bo")) == ["bo", "ada"]
    assert subjects(actions=("note",)) == ["ina", "=cmd()"]
    assert subjects(text="FROZEN link") == ["ina", "ina", "ina", "bo"]
    assert subjects(text="run=plain") == ["bo", "ada"]
    assert subjects(since=datetime(2100, 1, 1)) == []
    assert len(subjects(until=datetime(2100, 1, 1))) == 8
    with store.cursor() as cursor:
        assert list(audit_page(cursor, AuditFilter(), 0, 2)["total"]) == [8, 8]


@pytest.mark.slow
def test_rows_about_a_private_run_are_not_there_for_others(store: Store) -> None:
    with store.cursor(hidden=(f"{MARKER}-*",)) as cursor:
        assert list(audit_page(cursor, AuditFilter())["who"]) == ["=cmd()", "bo", "ada"]
        assert people(cursor) == ["=cmd()", "ada", "bo"]
    with shown(store, access=POLICY):
        assert MARKER.encode() not in everything(opened_by(OUTSIDER, "audit"))
        assert MARKER.encode() in everything(opened_by(INSIDER, "audit"))


def test_only_admins_read_it(store: Store) -> None:
    from tests.dashboard.app_pages.test_access import POLICY as ROLES

    with shown(store, access=ROLES):
        app = opened_by(VIEWER, "audit")
    assert "The audit log takes the role admin" in html(app)
    assert not app.dataframe


def test_the_page_filters_by_its_address_and_says_what_is_no_day(store: Store) -> None:
    with shown(store):
        app = opened("audit", who=["ada"], since="2000-01-01")
        assert list(app.dataframe[0].value["who"]) == ["ada"]
        app = opened("audit", since="yesterday")
        assert "yesterday is not a date" in html(app)
        app = opened("audit", until="2000-01-01")
        assert "No entries match" in html(app)


@pytest.mark.slow
def test_signing_in_is_written_down_once(store: Store) -> None:
    claims = INSIDER | {"iat": 4102444800}
    with shown(store, access=POLICY):
        opened_by(claims, "data")
        opened_by(claims, "data")
        opened_by(claims | {"iat": 4102444801}, "data")
    with store.cursor() as cursor:
        rows = audit_page(cursor, AuditFilter(actions=("sign_in",)))
    assert list(rows["who"]) == ["ina@example.org"] * 2
    assert list(rows["subject"]) == ["as admin"] * 2
