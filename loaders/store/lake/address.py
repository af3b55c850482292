"""Where a lake is: `ducklake:postgres:` with what libpq takes, and the folder or bucket of its Parquet files.

A password in it is handed to PostgreSQL alone: it is in no name, message, log or page. Better than to write one here is
`~/.pgpass` or PGPASSWORD, which libpq reads.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from loaders.errors import DriftlineError
from loaders.store.backend import SHARED

SCHEME = SHARED
POSTGRES = "postgres:"
HIDDEN = "***"

EXAMPLE = "ducklake:postgres:dbname=driftline host=db.example"


@dataclass(frozen=True)
class Address:
    """Where a lake is.

    Attributes:
        parameters: Of the connection, by libpq's names; without a password.
        data: The folder or bucket, which ends with a slash; None where the catalogue knows.
        password: None where libpq finds it, or needs none.
    """

    parameters: dict[str, str]
    data: str | None = None
    password: str | None = field(default=None, repr=False)

    @classmethod
    def parse(cls, text: str, data: str | None = None) -> Address:
        """Read an address.

        Raises:
            DriftlineError: It is none. The message holds nothing of it, since a password may be anywhere in it.
        """
        rest = text.removeprefix(SCHEME)
        uri = rest.startswith(("postgres://", "postgresql://"))
        if not text.startswith(SCHEME) or not (uri or rest.startswith(POSTGRES)):
            raise DriftlineError(f"--store: a shared store is named as in {EXAMPLE}.")
        from psycopg import ProgrammingError
        from psycopg.conninfo import conninfo_to_dict

        try:
            found = conninfo_to_dict(rest if uri else rest.removeprefix(POSTGRES))
        except ProgrammingError:
            raise DriftlineError(
                f"--store: not what PostgreSQL's libpq takes. A shared store is named as in {EXAMPLE}."
            ) from None
        parameters = {name: str(value) for name, value in found.items() if value is not None}
        password = parameters.pop("password", None)
        return cls(parameters, folder(data) if data else None, password)

    @property
    def name(self) -> str:
        """What people call it."""
        shown = " ".join(f"{name}={_quoted(value)}" for name, value in sorted(self.parameters.items()))
        return f"{SCHEME}{POSTGRES}{shown}"

    def conninfo(self) -> str:
        """For psycopg."""
        from psycopg.conninfo import make_conninfo

        return make_conninfo(**self.parameters, **({} if self.password is None else {"password": self.password}))

    def redacted(self, text: str) -> str:
        """A message without the password, however it came into it."""
        return text.replace(self.password, HIDDEN) if self.password else text


def folder(data: str) -> str:
    """A folder or bucket as a catalogue keeps it."""
    place = data if "://" in data else str(Path(data).expanduser().resolve())
    return place.rstrip("/") + "/"


def _quoted(value: str) -> str:
    if value and not set(value) & set(" '\\"):
        return value
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
