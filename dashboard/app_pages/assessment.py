"""Assessment: categories by checkpoints."""

from __future__ import annotations

from dashboard import controls, links

controls.arrive(links.ASSESSMENT)
controls.leave()
