"""Mixes: rates against what the runs were trained on."""

from __future__ import annotations

from dashboard import controls, links

controls.arrive(links.MIXES)
controls.leave()
