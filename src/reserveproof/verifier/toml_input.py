"""TOML that people write by hand: a trust policy, a claims file. Bounded before the parser sees it."""

from __future__ import annotations

import re
import tomllib

from ..format.limits import MAX_TOML_BYTES

MAX_KEY_PARTS = 16
"""Parts of a dotted key. The formats need one; the standard parser's time grows with the square of them."""
_STRINGS = re.compile(rb"\"[^\"\n]*\"|'[^'\n]*'")
_LONG_KEY = re.compile(rb"(?<![A-Za-z0-9_\"-])(?:[A-Za-z0-9_\"-]++[ \t]*+\.[ \t]*+){%d}" % MAX_KEY_PARTS)
_MAX_INTEGER_BITS = 64
_MAX_LEVELS = 32


class TomlError(ValueError):
    """These bytes are not TOML, or not of the kind that a person writes."""


def load_toml(data: bytes) -> dict[str, object]:
    """The table in these bytes. TomlError, and no other exception, for anything that is not one."""
    if len(data) > MAX_TOML_BYTES:
        raise TomlError(f"it is larger than {MAX_TOML_BYTES} bytes")
    if _LONG_KEY.search(_STRINGS.sub(b'""', data)):
        raise TomlError(f"a key has more than {MAX_KEY_PARTS} parts")
    try:
        root: dict[str, object] = tomllib.loads(data.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError, ValueError) as error:
        raise TomlError(str(error)) from None
    _check_size(root, 0)
    return root


def _check_size(value: object, level: int) -> None:
    if level > _MAX_LEVELS:
        raise TomlError(f"it is nested deeper than {_MAX_LEVELS} levels")
    if isinstance(value, int) and value.bit_length() > _MAX_INTEGER_BITS:
        raise TomlError("an integer has more than 64 bits")  # nor can Python print one of 4,300 digits
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        _check_size(item, level + 1)
