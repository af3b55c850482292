"""The JSON schema of a models file. Each `description` completes the sentence "wants ..." of an error."""

from __future__ import annotations

from dashboard.probe.protocols import BY_NAME
from loaders.study.schema import LARGEST, NAME, Schema, list_of, mapping

KEY_NAME = r"^[A-Z][A-Z0-9_]{0,99}$"
"""Names of environment variables and secrets, in capitals: hardly any key looks so."""

ENDPOINT_NAME: Schema = {
    "type": "string",
    "pattern": r"^[A-Za-z0-9][A-Za-z0-9._ -]{0,59}$",
    "description": "a short name of letters, digits, spaces, dots, dashes and underscores",
}
PROTOCOL: Schema = {"enum": [*BY_NAME], "description": f"one of {', '.join(BY_NAME)}"}
URL: Schema = {
    "type": "string",
    "minLength": 1,
    "maxLength": 2000,
    "description": "an address such as http://localhost:8000/v1",
}
KEY: Schema = {"type": "string", "description": "the name of an environment variable or Streamlit secret, in capitals"}
SECONDS: Schema = {
    "type": "number",
    "exclusiveMinimum": 0,
    "maximum": 86_400,
    "description": "a number of seconds, more than 0",
}
COUNT: Schema = {"type": "integer", "minimum": 0, "maximum": LARGEST, "description": "a whole number, 0 or more"}

MOST = 1000
"""Items of a list in the file."""

ENDPOINT = mapping(
    {
        "name": ENDPOINT_NAME,
        "protocol": PROTOCOL,
        "url": URL,
        "key": KEY,
        "models": list_of(NAME, "globs on the ids of models", maxItems=MOST),
        "in_flight": {
            "type": "integer",
            "minimum": 1,
            "maximum": 10_000,
            "description": "a whole number, 1 or more",
        },
        "first_token_s": SECONDS,
        "silence_s": SECONDS,
        "judge_tokens": {
            "type": "integer",
            "minimum": 1,
            "maximum": 1_000_000,
            "description": "a whole number of tokens, 1 or more",
        },
    },
    ("name", "url"),
)

MATCH = mapping({"model": NAME, "checkpoint": NAME, "endpoint": ENDPOINT_NAME}, ("model", "checkpoint"))

ALLOWANCE = mapping({"requests": COUNT, "tokens": COUNT})

MODELS_FILE = mapping(
    {
        "endpoints": list_of(ENDPOINT, "endpoints", maxItems=MOST),
        "matches": list_of(MATCH, "matches with model, checkpoint, endpoint", maxItems=MOST),
        "limits": mapping({"per_probe": ALLOWANCE, "per_day": ALLOWANCE}),
    }
)
