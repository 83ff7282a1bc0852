"""Commands that we offer for copying: whatever a key holds, the shell takes it for one argument."""

from __future__ import annotations

import re
import shlex

from mlc_dagster.core.inert import acts

REASON = "..."
"""The value of an option that a person fills in."""

_PLAIN = re.compile(r"[A-Za-z0-9_./:@+,][A-Za-z0-9_./:@+,=%-]*")
_IN_QUOTES = re.compile(r"[^\\'!]")


def offered(verb: str, *arguments: str, **options: str | None) -> str:
    """`mlc holds show P1 --flow cin7/purchases`; an option without a value (None) is left out.

    What begins with a hyphen comes last, behind `--`: it is no option.
    """
    named = [f"--{name.replace('_', '-')} {_value(value)}" for name, value in options.items() if value is not None]
    given = [quoted(argument) for argument in arguments]
    if any(argument.startswith("-") for argument in arguments):
        return " ".join(["mlc", verb, *named, "--", *given])
    return " ".join(["mlc", verb, *given, *named])


def quoted(value: str) -> str:
    r"""One argument of bash, zsh and ksh: 'O'"'"'Brien', $'P2\033'. Without a NUL, which no argument can hold."""
    if "\0" in value:
        return "'...'"
    if acts(value):
        return f"$'{''.join(map(_octal, value))}'"
    return value if _PLAIN.fullmatch(value) or re.fullmatch(r"-[A-Za-z0-9_./-]*", value) else shlex.quote(value)


def _value(value: str) -> str:
    return '"..."' if value is REASON else quoted(value)


def _octal(sign: str) -> str:
    if _IN_QUOTES.fullmatch(sign) and not acts(sign):
        return sign
    return "".join(f"\\{byte:03o}" for byte in sign.encode("utf-8", "surrogatepass"))
