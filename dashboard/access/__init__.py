"""Who reads: roles, and the runs that a reader may not see. Pure; nothing here knows of pages or stores."""

from dashboard.access.policy import Policy
from dashboard.access.reader import ROLES, NotAllowed, Reader, Role

__all__ = ["ROLES", "NotAllowed", "Policy", "Reader", "Role"]
