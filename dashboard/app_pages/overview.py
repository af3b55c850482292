"""Overview: the study at a glance."""

from __future__ import annotations

from dashboard import controls, links

controls.arrive(links.OVERVIEW)
controls.leave()
