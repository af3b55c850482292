"""HELM's run folders: `run_spec.json`, with `scenario_state.json`, `stats.json` and `per_instance_stats.json`.

A split is an eval, and so is each perturbation of its instances: HELM keeps their numbers apart, and so do we.
"""

from loaders.helm.load import FORMAT, IDENTITY, companions, is_document, matches, read

__all__ = ["FORMAT", "IDENTITY", "companions", "is_document", "matches", "read"]
