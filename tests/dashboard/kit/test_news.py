"""Who may ask for news: the sessions of those who may see pages, for as long as their sign-in lasts."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from dashboard import news, runtime
from dashboard.access.access_file import read_access_file

ADA = "ada@example.org"
CLAIMS = {"email": ADA, "email_verified": True}


@pytest.fixture
def signed(tmp_path) -> Iterator[None]:
    """People sign in, for an hour."""
    file = tmp_path / "access.yaml"
    file.write_text(f"hours: 1\nroles:\n  - {{role: viewer, emails: [{ADA}]}}\n", encoding="utf-8")
    runtime.use(None, access=read_access_file(file))
    yield
    runtime.use(None)


def test_a_ticket_counts_where_nobody_signs_in() -> None:
    assert news.ticket(None, None).counts()


@pytest.mark.usefixtures("signed")
def test_a_ticket_ends_with_its_sign_in() -> None:
    given = news.ticket("ada 1", {**CLAIMS, "iat": time.time()})
    assert given.counts()
    runtime.end("ada 1")
    assert not given.counts()


@pytest.mark.usefixtures("signed")
def test_a_ticket_of_a_sign_in_that_is_too_old_or_none_counts_no_more() -> None:
    assert not news.ticket("ada 2", {**CLAIMS, "iat": time.time() - 3601}).counts()
    assert not news.ticket(None, None).counts()
