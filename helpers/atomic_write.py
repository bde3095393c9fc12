"""A file that is written whole or not at all, whoever reads it meanwhile, and even if the power is cut."""

import os
import secrets
from pathlib import Path


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file so that others find the old one or the new one, and never a part; of two writers one wins.

    Raises OSError where there is no room: then what was there before stays.
    """
    # a name of its own, since another may write the same file now; in the same folder, so that it can be moved there
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with part.open("xb") as file:
            file.write(content)
            file.flush()
            # a power cut after the move must not find an empty file under the old name
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
