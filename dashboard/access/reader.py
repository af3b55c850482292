"""A reader: a name, a role, and the runs that stay hidden."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from loaders.errors import DriftlineError

Role = Literal["viewer", "prober", "editor", "admin"]

ROLES: tuple[Role, ...] = ("viewer", "prober", "editor", "admin")
"""Each may do all that those before it may: look; ask models; write notes, verdicts and views; read the audit log."""


class NotAllowed(DriftlineError):
    """Something was asked for that a reader may not do or see."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads a page.

    Attributes:
        name: Stands beside what the reader writes: an e-mail address where people sign in, else what the reader calls
            himself.
        role: What the reader may do.
        hidden: Patterns of the runs of which nothing may be seen.
        signed_in: Whether the name was proved by signing in.
    """

    name: str
    role: Role
    hidden: tuple[str, ...] = ()
    signed_in: bool = False

    def may(self, role: Role) -> bool:
        """Whether the reader may do what a role may."""
        return ROLES.index(self.role) >= ROLES.index(role)
