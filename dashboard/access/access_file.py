"""Reads `access.yaml`: who may do what, and which runs are private.

```yaml
claim: groups                       # what the provider calls the list of somebody's groups
hours: 12                           # so long somebody stays signed in
roles:                              # of several, the highest counts: viewer, prober, editor, admin
  - {role: admin, emails: [ada@example.org]}
  - {role: editor, groups: [alignment]}
  - {role: viewer, groups: [alignment-guests]}
private:                            # nobody else sees anything of these runs, admins neither
  - {runs: ["secret-*"], groups: [red-team], emails: [ada@example.org]}
ended:                              # who signed in before this has to sign in again
  - {before: 2026-11-30T14:00:00Z, emails: [bob@example.org]}
```
"""

from __future__ import annotations

import logging
import re
from dataclasses import replace
from datetime import datetime
from pathlib import Path as FilePath
from typing import Any

from dashboard.access.policy import CLAIM, HOURS, Ended, Grant, People, Policy, Private, lowered
from dashboard.access.reader import ROLES
from loaders.errors import StudyError
from loaders.study.checks import Problem
from loaders.study.conditions import Path
from loaders.study.schema import NAME, Schema, list_of, mapping
from loaders.study.yaml_files import checked, file_bytes

logger = logging.getLogger(__name__)

EMAIL: Schema = {
    "type": "string",
    "pattern": r"^[^\s@]+@[^\s@]+$",
    "maxLength": 320,
    "description": "an e-mail address such as ada@example.org",
}
ROLE: Schema = {"enum": list(ROLES), "description": f"one of {', '.join(ROLES)}"}

TIME: Schema = {
    "type": "string",
    "pattern": r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2})?(Z|[+-]\d{2}:\d{2})$",
    "description": "a time with its zone such as 2026-11-30T14:00:00Z",
}

MOST = 1000
"""Items of a list in the file."""

PEOPLE = {"groups": list_of(NAME, "groups", maxItems=MOST), "emails": list_of(EMAIL, "e-mail addresses", maxItems=MOST)}
PATTERNS = list_of(NAME, "patterns of names of runs", minItems=1, maxItems=MOST)
ACCESS_FILE = mapping(
    {
        "claim": NAME,
        "hours": {
            "type": "number",
            "exclusiveMinimum": 0,
            "maximum": 720,
            "description": "a number of hours, more than 0 and at most 720",
        },
        "roles": list_of(
            mapping({"role": ROLE, **PEOPLE}, ("role",)), "roles with role, groups, emails", minItems=1, maxItems=MOST
        ),
        "private": list_of(
            mapping(
                {"runs": list_of(NAME, "patterns of names of runs", minItems=1, maxItems=MOST), **PEOPLE}, ("runs",)
            ),
            "private runs with runs, groups, emails",
            maxItems=MOST,
        ),
        "ended": list_of(
            mapping({"before": TIME, **PEOPLE}, ("before",)),
            "ended sign-ins with before, groups, emails",
            maxItems=MOST,
        ),
    },
    ("roles",),
)

NOBODY = "names nobody: it wants groups or emails with somebody in them"

_SET = re.compile(r"\[!?(\]?[^\]]*)\]")
"""One set of characters in a pattern; a closing bracket that stands first belongs to it."""


def read_access_file(path: FilePath | str) -> Policy:
    """What an access file says.

    Raises:
        StudyError: It can't be read, is not YAML or breaks the schema, or an entry names nobody; names every problem
            with its line.
    """
    stamp = _stamp(FilePath(path))
    return replace(parse_access(file_bytes(path), path), source=FilePath(path).absolute(), stamp=stamp)


def followed(policy: Policy) -> Policy:
    """What the policy's file says now. Where it can't be read, the policy stays, and the log says why, once."""
    if policy.source is None or (stamp := _stamp(policy.source)) == policy.stamp:
        return policy
    try:
        return read_access_file(policy.source)
    except StudyError as error:
        logger.error("The access file has changed and can't be read: what it said before counts. %s", error)
        return replace(policy, stamp=stamp)


def _stamp(path: FilePath) -> tuple[int, int] | None:
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_size


def parse_access(text: str | bytes, path: FilePath | str) -> Policy:
    """What the text of an access file says; the path is only named in errors.

    Raises:
        StudyError: As `read_access_file`.
    """
    value = checked(text, path, ACCESS_FILE, _more_problems)
    return Policy(
        tuple(Grant(item["role"], _people(item)) for item in value["roles"]),
        tuple(Private(tuple(item["runs"]), _people(item)) for item in value.get("private", ())),
        value.get("claim", CLAIM),
        float(value.get("hours", HOURS)),
        tuple(
            Ended(datetime.fromisoformat(item["before"]).timestamp(), _people(item)) for item in value.get("ended", ())
        ),
    )


def _people(item: dict[str, Any]) -> People:
    emails = (lowered(email) or "" for email in item.get("emails", ()))
    return People(frozenset(emails), frozenset(item.get("groups", ())))


def _more_problems(value: Any) -> list[Problem]:
    """What no schema says: entries with nobody in them, patterns that no run can match."""
    found: list[Problem] = []
    for field in ("roles", "private", "ended"):
        items = value.get(field) if isinstance(value, dict) else None
        for i, item in enumerate(items if isinstance(items, list) else ()):
            if isinstance(item, dict):
                if not item.get("groups") and not item.get("emails"):
                    found.append(((field, i), NOBODY))
                found += _time_problems(item.get("before"), (field, i, "before"))
                found += _pattern_problems(item.get("runs"), (field, i, "runs"))
    return found


def _time_problems(before: Any, path: Path) -> list[Problem]:
    """A time that no calendar has; of what looks like none, the schema speaks."""
    if not isinstance(before, str) or not re.match(str(TIME["pattern"]), before):
        return []
    try:
        datetime.fromisoformat(before)
    except ValueError as error:
        return [(path, f"is no time: {error}")]
    return []


def _pattern_problems(patterns: Any, path: Path) -> list[Problem]:
    """Patterns that would hide nothing, because a bracket stays open or a range runs backwards."""
    found: list[Problem] = []
    for i, pattern in enumerate(patterns if isinstance(patterns, list) else ()):
        if not isinstance(pattern, str):
            continue
        if "[" in _SET.sub("", pattern):
            found.append(((*path, i), "a [ that is never closed; write [[] for a bracket in a name"))
        for members in _SET.findall(pattern):
            if any(members[at] > members[at + 2] for at in range(len(members) - 2) if members[at + 1] == "-"):
                found.append(((*path, i), f"the range [{members}] runs backwards"))
    return found
