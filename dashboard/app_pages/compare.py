"""Compare: checkpoints against a baseline."""

from __future__ import annotations

from dashboard import controls, links

controls.arrive(links.COMPARE)
controls.leave()
