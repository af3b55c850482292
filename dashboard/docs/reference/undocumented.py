"""The error of reference that doesn't agree with the code."""

from loaders.errors import DriftlineError


class Undocumented(DriftlineError):
    """Something of the code has no documentation, or documentation is of something that is gone."""
