"""What a log may ask of the machine. Looked up at each use, so that a caller can tighten them.

Real logs reach 200,000 samples and 1 GB; the limits lie above those and below what hurts.
"""

from __future__ import annotations

MAX_DIRECTORY_BYTES = 256 * 1024**2
"""Size of a zip's central directory, checked before it is parsed."""

MAX_MEMBERS = 1_000_000
"""Entries in a zip's central directory."""

MAX_MEMBER_BYTES = 1024**3
"""One member uncompressed, or one `.json` log."""

MAX_TOTAL_BYTES = 16 * 1024**3
"""All members that are read from one zip, uncompressed."""

MAX_RATIO = 1000
"""Uncompressed over compressed size, for members (and whole files) of more than `RATIO_FLOOR` bytes."""

RATIO_FLOOR = 64 * 1024**2
"""Below this a ratio is not questioned: short members of one repeated letter are harmless."""

MAX_RESOLVED_BYTES = 1024**3
"""Text that attachment references bring into one file's records (a few bytes can refer to many megabytes)."""

MAX_VALUES = 1_000_000
"""Lists and objects in one field of a header: each takes Python some hundred bytes, and the text of it only two."""

MAX_SAMPLE_VALUES = 5_000_000
"""Values in one field of a sample, or of a header's results, outside of texts: each takes Python some hundred bytes."""

MAX_TREE_VALUES = 10_000_000
"""Values in a document that is not strict JSON (NaN, half surrogates), which is read as a whole."""

MAX_MESSAGES = 1_000_000
"""Messages of one chunked sample after its ranges are expanded."""

MAX_INLINE_MEDIA = 4096
"""Characters of a base64 `data:` URI that are kept; longer ones become a placeholder with type and size."""
