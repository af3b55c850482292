"""Who is let in as what: by claims and configuration alone, and never generously."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dashboard.access import Policy, Reader
from dashboard.access.access_file import NOBODY, followed, parse_access, read_access_file
from dashboard.access.sign_in import address_to_open, auth_problems, is_loopback
from dashboard.docs.contents import PAGES
from loaders.errors import StudyError

POLICY = parse_access(
    """
roles:
  - {role: viewer, groups: [guests, "007"]}
  - {role: editor, groups: [alignment], emails: [Bo@Example.org]}
  - {role: admin, emails: [ada@example.org]}
  - {role: prober, groups: [alignment]}
private:
  - {runs: ["secret-*"], groups: [red]}
  - {runs: ["secret-1", "x?"], groups: [blue], emails: [ada@example.org]}
""",
    "access.yaml",
)


def reader(**claims: Any) -> Reader | None:
    return POLICY.reader({"sub": "s-1", **claims})


@pytest.mark.parametrize(
    ("claims", "role"),
    [
        ({"email": "ada@example.org"}, "admin"),
        ({"email": "ADA@EXAMPLE.ORG"}, "admin"),
        ({"email": "bo@example.org"}, "editor"),
        ({"groups": ["guests"]}, "viewer"),
        ({"groups": ["007"]}, "viewer"),
        ({"groups": ["other", "alignment", "guests"]}, "editor"),
        ({"email": "bo@example.org", "groups": ["guests"]}, "editor"),
        ({"email": "ada@example.org", "email_verified": True}, "admin"),
        ({"email": "ada@example.org", "email_verified": "true"}, "admin"),
    ],
)
def test_the_highest_role_that_matches_counts(claims: dict[str, Any], role: str) -> None:
    found = reader(**claims)
    assert found is not None
    assert found.role == role
    assert found.signed_in


@pytest.mark.parametrize(
    "claims",
    [
        {},
        {"groups": []},
        {"groups": None},
        {"groups": ""},
        {"groups": "guests"},
        {"groups": "*"},
        {"groups": ["*"]},
        {"groups": [""]},
        {"groups": ["Guests"]},
        {"groups": ["guests "]},
        {"groups": ["guests", None]},
        {"groups": ["guests", ["alignment"]]},
        {"groups": [7]},
        {"groups": {"guests": 1}},
        {"groups": True},
        {"roles": ["guests"]},
        {"email": "ada@example.org", "email_verified": False},
        {"email": "ada@example.org", "email_verified": "false"},
        {"email": "ada@example.org", "email_verified": None},
        {"email": "ada@example.org", "email_verified": 0},
        {"email": ["ada@example.org"]},
        {"email": "ada@example.org.evil.example"},
        {"email": "a*@example.org"},
        {"email": "ada@example.org\x00"},
        {"email": ""},
        {"email": None},
        {"email": "\u212ada@example.org"},
    ],
)
def test_who_matches_nothing_may_see_nothing(claims: dict[str, Any]) -> None:
    assert reader(**claims) is None


def test_other_letters_are_not_taken_for_those_of_an_address() -> None:
    """By Unicode's rules the Kelvin sign is a k in small letters, and a dotted capital I an i."""
    policy = parse_access("roles: [{role: admin, emails: [kim@example.org]}]", "a")
    assert policy.reader({"sub": "1", "email": "KIM@example.org"})
    assert policy.reader({"sub": "1", "email": "\u212aim@example.org"}) is None
    assert policy.reader({"sub": "1", "email": "K\u0130m@example.org"}) is None


def test_a_name_is_the_proved_address_else_what_the_provider_calls_somebody() -> None:
    told = reader(email="Ada@Example.org", name="Somebody Else")
    assert told is not None
    assert told.name == "ada@example.org"
    told = reader(email="ada@example.org", email_verified=False, groups=["guests"], name="ada@example.org")
    assert told is not None
    assert (told.name, told.role) == ("s-1", "viewer")
    assert POLICY.reader({"groups": ["guests"]}) is None


@pytest.mark.parametrize(
    ("claims", "hidden"),
    [
        ({"groups": ["guests"]}, {"secret-*", "secret-1", "x?"}),
        ({"groups": ["guests", "red"]}, {"secret-1", "x?"}),
        ({"groups": ["guests", "blue"]}, {"secret-*"}),
        ({"groups": ["guests", "red", "blue"]}, set()),
        # Admins too; and an address that isn't verified names nobody here either.
        ({"email": "ada@example.org"}, {"secret-*"}),
        ({"email": "ada@example.org", "email_verified": False, "groups": ["guests"]}, {"secret-*", "secret-1", "x?"}),
        ({"email": "ada@example.org", "groups": "red"}, {"secret-*"}),
    ],
)
def test_private_runs_are_for_those_whom_every_entry_names(claims: dict[str, Any], hidden: set[str]) -> None:
    found = reader(**claims)
    assert found is not None
    assert set(found.hidden) == hidden


@pytest.mark.parametrize(
    ("iat", "expired"),
    [(1000.0, False), (1000, False), (1000 - 12 * 3600, True), (1000 - 12 * 3600 + 1, False), (2000, False),
     (None, True), ("1000", True), (True, True), (float("nan"), True)],
)  # fmt: skip
def test_a_sign_in_lasts_some_hours_and_one_without_a_time_none(iat: Any, expired: bool) -> None:
    assert POLICY.has_expired({"iat": iat}, 1000.0) == expired


def test_sign_ins_of_some_are_ended_before_their_time() -> None:
    said = (
        "- {before: 1970-01-01T00:15:00Z, emails: [Bob@example.org]}\n- {before: 1970-01-01T01:00+01:00, groups: [g]}"
    )
    policy = parse_access(f"roles: [{{role: viewer, groups: [g]}}]\nended:\n{said}\n", "access.yaml")
    bob, other = {"email": "bob@example.org"}, {"email": "ann@example.org", "groups": ["g"]}
    assert [policy.has_expired(bob | {"iat": at}, 1000.0) for at in (0, 899.0, 900.0, 950.0)] == [
        True,
        True,
        False,
        False,
    ]
    assert [policy.has_expired(other | {"iat": at}, 1000.0) for at in (-1.0, 0.0, 950.0)] == [True, False, False]


def test_the_file_is_followed_while_pages_are_served(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "access.yaml"
    claims = {"sub": "1", "email": "bob@example.org", "iat": 1000}
    path.write_text("roles: [{role: editor, emails: [bob@example.org, ann@example.org]}]\n")
    first = read_access_file(path)
    assert followed(first) is first
    path.write_text("roles: [{role: viewer\n")
    kept = followed(first)
    assert (kept, followed(kept) is kept) == (first, True)
    assert caplog.text.count("what it said before counts") == 1
    path.write_text("roles: [{role: editor, emails: [ann@example.org]}]\n")
    assert first.reader(claims) is not None
    assert followed(kept).reader(claims) is None


# The file.


def problems(text: str) -> list[str]:
    with pytest.raises(StudyError) as caught:
        parse_access(text, "access.yaml")
    return caught.value.problems


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "line 1: `roles` is missing"),
        (
            "roles: [{role: viewer, groups: [a]}]\nended:\n- {before: now, groups: [a]}",
            "line 3: ended[0].before: wants a time",
        ),
        (
            "roles: [{role: viewer, groups: [a]}]\nended:\n- {before: 2026-02-30T10:00Z, groups: [a]}",
            "is no time: day is",
        ),
        ("roles: [{role: viewer, groups: [a]}]\nended:\n- {before: 2026-02-20T10:00Z}", f"ended[0]: {NOBODY}"),
        ("roles:", "line 1: `roles` is missing"),
        ("roles: []", "with at least one item"),
        ("roles: all", "not 'all'"),
        ("roles:\n- {role: viewer}", f"line 2: roles[0]: {NOBODY}"),
        ("roles:\n- {role: viewer, groups: []}", f"line 2: roles[0]: {NOBODY}"),
        ("roles:\n- {role: viewer, groups:, emails: []}", f"line 2: roles[0]: {NOBODY}"),
        ("roles:\n- {role: viewer, groups: ['']}", "line 2: roles[0].groups[0]: wants a name"),
        ("roles:\n- {role: viewer, groups: guests}", "line 2: roles[0].groups: wants a list of groups, not 'guests'"),
        ("roles:\n- {role: owner, groups: [a]}", "wants one of viewer, prober, editor, admin, not 'owner'"),
        ("roles:\n- {role: viewer, emails: ['*']}", "wants an e-mail address such as ada@example.org, not '*'"),
        ("roles:\n- {groups: [a]}", "`role` is missing"),
        ("roles:\n- {role: viewer, groups: [a], group: b}", "line 2: roles[0].group: "),
        ("roles: &a\n- {role: viewer, groups: [a]}\nroles: *a", "duplicate key, first on line 1"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(text: str, told: str) -> None:
    assert any(told in problem for problem in problems(text)), problems(text)


@pytest.mark.parametrize(
    ("private", "told"),
    [
        ("{runs: ['s-*']}", NOBODY),
        ("{runs: ['s-*'], groups: []}", NOBODY),
        ("{runs: [], groups: [a]}", "at least one item"),
        ("{groups: [a]}", "`runs` is missing"),
        ("{runs: ['s[1'], groups: [a]}", "a [ that is never closed"),
        ("{runs: ['s[z-a]'], groups: [a]}", "the range [z-a] runs backwards"),
    ],
)
def test_a_private_entry_that_would_hide_nothing_or_be_for_nobody_is_an_error(private: str, told: str) -> None:
    text = f"roles: [{{role: viewer, groups: [a]}}]\nprivate:\n- {private}"
    assert any(problem.startswith("line 3") and told in problem for problem in problems(text)), problems(text)


@pytest.mark.parametrize("pattern", ["s[[]1", "s[a-z]", "s[!a]", "s[]]", "*", "s-?"])
def test_patterns_that_duckdb_knows_are_taken(pattern: str) -> None:
    text = f"roles: [{{role: viewer, groups: [a]}}]\nprivate: [{{runs: ['{pattern}'], groups: [b]}}]"
    assert parse_access(text, "a").private[0].runs == (pattern,)


def test_the_example_of_the_documentation_is_read() -> None:
    text = (PAGES / "team-server.md").read_text(encoding="utf-8")
    example = text.partition("```yaml access.yaml\n")[2].partition("```")[0]
    policy = parse_access(example, "team-server.md")
    found = policy.reader({"sub": "1", "email": "ada@example.org"})
    assert found == Reader("ada@example.org", "admin", (), signed_in=True)
    assert policy == Policy(policy.grants, policy.private)


def test_a_file_that_is_not_there_is_told() -> None:
    with pytest.raises(StudyError, match="can't be read: No such file"):
        read_access_file("/nowhere/access.yaml")


# The [auth] section.

AUTH = {
    "redirect_uri": "https://evals.example.org/oauth2callback",
    "cookie_secret": "x" * 32,
    "client_id": "driftline",
    "client_secret": "s",
    "server_metadata_url": "https://login.example.org/.well-known/openid-configuration",
}


@pytest.mark.parametrize(
    ("change", "base", "told"),
    [
        ({}, "", None),
        ({"redirect_uri": "http://localhost:{port}/oauth2callback"}, "", None),
        ({"redirect_uri": "https://evals.example.org/driftline/oauth2callback"}, "driftline", None),
        ({"client_id": ""}, "", "lacks client_id"),
        ({"client_secret": None, "cookie_secret": 7}, "", "lacks cookie_secret, client_secret"),
        ({"cookie_secret": "short"}, "", "cookie_secret is too short"),
        ({}, "driftline", "with the path /driftline/oauth2callback"),
        ({"redirect_uri": "https://evals.example.org/driftline/oauth2callback"}, "", "with the path /oauth2callback"),
        ({"redirect_uri": "/oauth2callback"}, "", "redirect_uri wants the dashboard's address"),
        ({"redirect_uri": "http://evals.example.org/oauth2callback"}, "", "wants https"),
    ],
)
def test_an_auth_section_by_which_nobody_could_sign_in_is_told(
    change: dict[str, Any], base: str, told: str | None
) -> None:
    found = auth_problems(AUTH | change, base)
    assert found == [] if told is None else any(told in problem for problem in found)
    assert AUTH["cookie_secret"] not in " ".join(found)
    assert len(auth_problems({}, "")) == 1


def test_where_it_is_opened_and_which_addresses_are_this_computers() -> None:
    assert address_to_open("https://e.org/driftline/oauth2callback", 1) == "https://e.org/driftline"
    assert address_to_open("http://127.0.0.1:{port}/oauth2callback", 8501) == "http://127.0.0.1:8501"
    assert [is_loopback(host) for host in ("127.0.0.1", "127.9.9.9", "::1", "localhost")] == [True] * 4
    assert [is_loopback(host) for host in ("0.0.0.0", "::", "192.168.1.5", "localhost.evil.example")] == [False] * 4
