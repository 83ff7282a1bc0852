"""monday.com's error codes, by what they prove of a request: a list, since what is not on it proves nothing.

From monday's pages on rate limits, error handling and idempotency (developer.monday.com, API 2026-10), which say that a
rate-limited request was not executed, and that one that timed out or ended in a 5xx may have been; from monday's own
n8n node, where a code is marked (n8n). That an error without a path, beside no data, was raised before execution is
GraphQL's own rule (specification of October 2021, 7.1.2).
"""

from __future__ import annotations

import re

LIMITS = frozenset(
    {
        *("COMPLEXITY_BUDGET_EXHAUSTED", "ComplexityException", "RATE_LIMIT_EXCEEDED", "Rate Limit Exceeded"),
        *("maxConcurrencyExceeded", "IP_RATE_LIMIT_EXCEEDED"),
        *("FIELD_LIMIT_EXCEEDED", "MutationCallsExceeded", "RateLimitedException"),  # n8n
    }
)
"""Too many calls: what got this was not executed."""

LIMIT_WORDS = re.compile(
    r"rate limit exceeded|minute limit|concurrency limit exceeded|complexity budget exhausted", re.IGNORECASE
)
"""The same, where the old shape of errors gives no code of its own."""

DAY_IS_OVER = "DAILY_LIMIT_EXCEEDED"

AT_WORK = "IDEMPOTENCY_CONFLICT"
"""A request under the same Idempotency-Key is being executed."""

NOT_ALLOWED = frozenset({"missingRequiredPermissions", "USER_ACCESS_DENIED"})
"""Signed in, and not allowed to do this one thing: a scope of the token, or a right of its user."""

DENIED = frozenset({*("NOT_AUTHENTICATED", "Unauthorized", "UserUnauthorizedException"), *NOT_ALLOWED})
OUR_FAULT = frozenset(
    {
        *("undefinedField", "GRAPHQL_VALIDATION_FAILED", "GRAPHQL_PARSE_FAILED", "JsonParseException"),
        *("InvalidVersionException", "InvalidBoardIdException"),
    }
)
REFUSALS = frozenset(
    {
        *("ColumnValueException", "CorrectedValueException", "InvalidColumnIdException", "InvalidArgumentException"),
        *("ItemNameTooLongException", "RecordInvalidException", "InvalidItemIdException", "ResourceNotFoundException"),
        *("ItemsLimitationException", "DATA_VALIDATIONS_ERROR"),
    }
)
"""What was sent is refused. With a path: of that alias alone. Without one, and without data: nothing was executed."""

NOT_THERE = frozenset({"InvalidItemIdException", "ResourceNotFoundException"})
"""Of an item: archived, deleted or on another board. monday has no code for each (n8n)."""

PASSING = frozenset(
    {
        *("API_TEMPORARILY_BLOCKED", AT_WORK, "ResourceLocked"),
        *("INTERNAL_SERVER_ERROR", "Internal Server Error"),
    }
)
"""monday was in a state that passes: it may have acted before it said so. These prove nothing."""

PROVES_NOTHING = (408, 409, 423)
"""So do these statuses, and every 5xx, whatever code is with them."""

REFUSED = (400, 401, 403, 404, 422)
"""With these monday says that it did nothing, under any code."""


def is_too_complex(words: str) -> bool:
    """Of a single request above 5,000,000 points, whose code is not documented."""
    _, found, after = words.lower().partition("complexity")
    return bool(found) and any(word in after for word in ("exceed", "max", "too"))


def proves_nothing(code: str, status: int) -> bool:
    """Whether an error leaves open what was done."""
    return code in PASSING or status in PROVES_NOTHING or status >= 500


def is_limit(code: str, status: int, words: str) -> bool:
    """Whether an error says that it came of too many calls, so that nothing was done for what it is about."""
    known = code in LIMITS or code == DAY_IS_OVER or status == 429 or LIMIT_WORDS.search(words) is not None
    return known and not proves_nothing(code, status)
