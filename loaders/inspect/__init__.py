"""Inspect logs, `.eval` and `.json`, of every version until today's.

An `.eval` log is a zip: `header.json` (while the eval runs only `_journal/start.json`) and a member per sample; a
`.json` log is one document. Both are decoded straight into typed documents (`documents`) and rebuilt as the store's
records; inspect_ai itself is never imported, it is the oracle in the tests.
"""
