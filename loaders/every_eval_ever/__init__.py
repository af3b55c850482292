"""Every Eval Ever: records of evaluations (`UUID.json`, schema 0.2 and 0.3), with `UUID_samples.jsonl` beside them.

A record is read with its samples where they lie there. Results without samples are numbers that the record reports.
"""

from loaders.every_eval_ever.load import FORMAT, IDENTITY, companions, is_document, matches, read

__all__ = ["FORMAT", "IDENTITY", "companions", "is_document", "matches", "read"]
