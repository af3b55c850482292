"""The JSON schema of a models file. Each `description` completes the sentence "wants ..." of an error."""

from __future__ import annotations

from loaders.study.schema import LARGEST, NAME, Schema

KEY_NAME = r"^[A-Z][A-Z0-9_]{0,99}$"
"""Names of environment variables and secrets, in capitals: hardly any key looks so."""

ENDPOINT_NAME: Schema = {
    "type": "string",
    "pattern": r"^[A-Za-z0-9][A-Za-z0-9._ -]{0,59}$",
    "description": "a short name of letters, digits, spaces, dots, dashes and underscores",
}
PROTOCOL: Schema = {"enum": ["openai", "anthropic"], "description": "one of openai, anthropic"}
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


def _mapping(properties: dict[str, Schema], required: tuple[str, ...] = ()) -> Schema:
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
        "description": f"a mapping with the fields {', '.join(properties)}",
    }


def _list(items: Schema, what: str) -> Schema:
    return {"type": "array", "items": items, "maxItems": 1000, "description": f"a list of {what}"}


ENDPOINT = _mapping(
    {
        "name": ENDPOINT_NAME,
        "protocol": PROTOCOL,
        "url": URL,
        "key": KEY,
        "models": _list(NAME, "globs on the ids of models"),
        "in_flight": {
            "type": "integer",
            "minimum": 1,
            "maximum": 10_000,
            "description": "a whole number, 1 or more",
        },
        "first_token_s": SECONDS,
        "silence_s": SECONDS,
    },
    ("name", "url"),
)

MATCH = _mapping({"model": NAME, "checkpoint": NAME, "endpoint": ENDPOINT_NAME}, ("model", "checkpoint"))

ALLOWANCE = _mapping({"requests": COUNT, "tokens": COUNT})

MODELS_FILE = _mapping(
    {
        "endpoints": _list(ENDPOINT, "endpoints"),
        "matches": _list(MATCH, "matches with model, checkpoint, endpoint"),
        "limits": _mapping({"per_probe": ALLOWANCE, "per_day": ALLOWANCE}),
    }
)
