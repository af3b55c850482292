"""Who may do what, by what an identity provider says of them: configuration and claims in, a reader or nobody out.

Nothing here is generous: a claim that is missing, empty or of another kind than expected names nobody, and whoever
is named nowhere may see nothing.
"""

from __future__ import annotations

import string
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dashboard.access.reader import ROLES, Reader, Role

CLAIM, HOURS = "groups", 12.0

_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
"""Only ASCII letters have a case here: by Unicode's rules the Kelvin sign would be a k, and somebody else's address."""


@dataclass(frozen=True, slots=True)
class People:
    """Some people: everybody with one of the e-mail addresses, or in one of the groups."""

    emails: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Grant:
    """What some people may do."""

    role: Role
    people: People


@dataclass(frozen=True, slots=True)
class Private:
    """Runs, by patterns of their names, of which only some people may see anything."""

    runs: tuple[str, ...]
    people: People


@dataclass(frozen=True, slots=True)
class Ended:
    """Sign-ins of some people that count no more: those from before a time, in seconds since 1970."""

    before: float
    people: People


@dataclass(frozen=True, slots=True)
class Policy:
    """What `access.yaml` says.

    Attributes:
        grants: Roles; of several that somebody has, the highest counts.
        private: Whoever is not named in an entry sees nothing of its runs, whatever the role.
        claim: What the provider calls the list of somebody's groups.
        hours: So long somebody stays signed in; groups are as they were when they signed in.
        ended: Sign-ins that ended sooner.
        source: The file that says so, where it is followed while pages are served.
        stamp: Its time of change and size.
    """

    grants: tuple[Grant, ...]
    private: tuple[Private, ...] = ()
    claim: str = CLAIM
    hours: float = HOURS
    ended: tuple[Ended, ...] = ()
    source: Path | None = field(default=None, compare=False)
    stamp: tuple[int, int] | None = field(default=None, compare=False)

    def reader(self, claims: Mapping[str, Any]) -> Reader | None:
        """Who somebody is by the claims of the provider; None for somebody who may see nothing."""
        email, groups = email_of(claims), groups_of(claims, self.claim)
        name = email or _text(claims.get("sub"))
        roles = [grant.role for grant in self.grants if _named(grant.people, email, groups)]
        if name is None or not roles:
            return None
        hidden = [
            pattern for entry in self.private if not _named(entry.people, email, groups) for pattern in entry.runs
        ]
        return Reader(name, max(roles, key=ROLES.index), tuple(dict.fromkeys(hidden)), signed_in=True)

    def has_expired(self, claims: Mapping[str, Any], now: float) -> bool:
        """Whether somebody signed in too long ago, or before all their sign-ins were ended, or doesn't say when.

        Args:
            claims: Of the provider; `iat` is when it let them in, in seconds since 1970.
            now: In the same seconds.
        """
        at = claims.get("iat")
        if isinstance(at, bool) or not isinstance(at, (int, float)) or not now - at < self.hours * 3600:
            return True
        email, groups = email_of(claims), groups_of(claims, self.claim)
        return any(at < entry.before and _named(entry.people, email, groups) for entry in self.ended)


def email_of(claims: Mapping[str, Any]) -> str | None:
    """The e-mail address that the provider answers for; None for one that it calls unverified.

    A provider that says nothing of it is taken at its word: some never do.
    """
    verified = claims.get("email_verified", True)
    # Some providers write a text.
    return lowered(_text(claims.get("email"))) if verified is True or verified == "true" else None


def groups_of(claims: Mapping[str, Any], claim: str) -> frozenset[str]:
    """The groups of somebody; none where the claim is anything but a list of texts."""
    groups = claims.get(claim)
    if not isinstance(groups, list) or not all(isinstance(group, str) for group in groups):
        return frozenset()
    return frozenset(group for group in groups if group)


def lowered(email: str | None) -> str | None:
    """An e-mail address as it is compared: capitals don't matter."""
    return email.translate(_LOWER) if email is not None else None


def _text(value: Any) -> str | None:
    return value.strip() or None if isinstance(value, str) else None


def _named(people: People, email: str | None, groups: frozenset[str]) -> bool:
    return (email is not None and email in people.emails) or not groups.isdisjoint(people.groups)
