"""Key files: made on first use, whole or not at all, and readable by their owner only.

Several processes may start at once in one folder: the first one's key holds, and all of them read the same.
"""

import os
import secrets
from pathlib import Path
from typing import Final

from shoutgraph.files.parts import sync_folder

KEY_BYTES: Final = 32
KEY_MODE: Final = 0o600
NAME_BYTES: Final = 8
"""Random bytes in a draft's name: processes of two machines that share a folder may have the same number."""


def read_or_make(folder: Path, name: str) -> bytes:
    """The secret bytes of a key file; the first use makes one.

    Raises:
        OSError: it can be neither read nor made.
    """
    path = folder / name
    if not path.exists():
        write_once(path, secrets.token_bytes(KEY_BYTES))
    key = path.read_bytes()
    assert len(key) == KEY_BYTES, f"{path.name} is damaged: it holds {len(key)} bytes, not {KEY_BYTES}"
    return key


def write_once(path: Path, data: bytes) -> bool:
    """Puts a file in place with all its bytes, unless there is one; says whether there was none."""
    draft = _draft(path, data)
    try:
        os.link(draft, path)
    except FileExistsError:  # another process was first
        return False
    else:
        sync_folder(path.parent)
        return True
    finally:
        draft.unlink()


def write_over(path: Path, data: bytes) -> None:
    """Puts a file in place with all its bytes, instead of the one that is there."""
    _draft(path, data).replace(path)
    sync_folder(path.parent)


def _draft(path: Path, data: bytes) -> Path:
    """Writes what is to become a file beside it, so that a crash leaves no half of it."""
    draft = path.with_name(f"{path.name}.{secrets.token_hex(NAME_BYTES)}")
    descriptor = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, KEY_MODE)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    return draft
