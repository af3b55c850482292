"""Each part of a chart is held against Vega-Lite's schema once in a process: the same again can't fail.

Altair checks every axis, scale and layer as it is put together, and the whole as it is shown: a quarter of what a page
of charts takes in tests, where most parts are the same from page to page.
"""

from __future__ import annotations

import hashlib
import marshal
from typing import Any

from altair.utils import schemapi

_check = schemapi.validate_jsonschema
_right: set[bytes] = set()


def _check_once(spec: dict[str, Any], schema: dict[str, Any], *more: Any, **options: Any) -> Any:
    """`validate_jsonschema`, of what it has not found right before."""
    try:
        # Not as JSON, in which a tuple looks like a list; without references, which tell one object from its equal.
        told = marshal.dumps((spec, schema, id(options.get("rootschema"))), 2)
    except ValueError:  # of other types than JSON's: not known again
        return _check(spec, schema, *more, **options)
    same = hashlib.sha256(told).digest()
    if same in _right:
        return None
    found = _check(spec, schema, *more, **options)
    if found is None:
        _right.add(same)
    return found


schemapi.validate_jsonschema = _check_once
