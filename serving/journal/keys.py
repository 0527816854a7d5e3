"""Identities as keyed digests: equal ones are equal, and who has not the key can't try out what they may be."""

import hashlib
import hmac
import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Literal

KEPT_APART = ".journal"
"""The folder inside of a journal for all that is no row; nobody reads it as a log."""
KEY_FILE = "key"
Identity = Literal["request", "prompt", "system", "session", "tenant", "model"]


class Keys:
    """Makes the digests of one deployment."""

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()

    def of(self, identity: Identity, text: str) -> str:
        """HMAC-SHA256 of a text, in hex. The same text as another kind of identity has another one."""
        digest = hmac.new(self._secret, identity.encode() + b"\0", hashlib.sha256)
        digest.update(text.encode("utf-8", "replace"))
        return digest.hexdigest()


def find_keys(folder: Path, secret: str | None) -> Keys:
    """The keys of a journal: by the given secret, or by that of the folder, which is made if there is none.

    Raises:
        OSError: it is neither there nor can be made.
    """
    if secret:
        return Keys(secret)
    path = folder / KEPT_APART / KEY_FILE
    if not path.exists():
        _make(path)
    return Keys(path.read_text(encoding="ascii").strip())


def _make(path: Path) -> None:
    """Whole or not at all, and of several processes that make one at once the first wins."""
    beside = path.with_name(f"{KEY_FILE}-{secrets.token_hex(4)}.new")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(descriptor, secrets.token_hex(32).encode())
        os.fsync(descriptor)
        with suppress(FileExistsError):
            os.link(beside, path)
    finally:
        os.close(descriptor)
        beside.unlink()
