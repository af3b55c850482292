"""Persistence: does a lead last through further training."""

from __future__ import annotations

from dashboard import controls, links

controls.arrive(links.PERSISTENCE)
controls.leave()
