"""Answers that are not to be read in passing: an edition for students carries what its checks need in this form.

Sealed is not secret: whoever calls `unseal` reads it.
"""

import ast
import base64
import binascii
import zlib
from typing import Any

from helpers import validate

MARK = "# sealed "  # before a solution that is sealed


def seal(value: str | int | float | list | dict) -> str:
    """Return a value in letters and digits; raises TypeError for what cannot be written out."""
    if not isinstance(value, str | int | float | list | dict):
        validate.refuse(TypeError, "value", "text, a number, a list or a dict", value)
    return base64.b64encode(zlib.compress(repr(value).encode(), 9)).decode()


def unseal(text: str) -> Any:
    """Return what was sealed; raises TypeError or ValueError for what no `seal` returned."""
    try:
        return ast.literal_eval(zlib.decompress(base64.b64decode(validate.text("text", text), validate=True)).decode())
    except (binascii.Error, zlib.error, SyntaxError, UnicodeDecodeError, ValueError):
        validate.refuse(ValueError, "text", "what seal returned", text)
