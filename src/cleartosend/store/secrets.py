"""Encrypts what a stolen database must not give away."""

import base64
import binascii
import contextlib
import os
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 32
NONCE_BYTES = 12


class BadKey(Exception):
    """The key is not 32 bytes in base64, or not the one the secrets were sealed with."""


class Vault:
    """AES-256-GCM under one key; each secret is bound to the name it is kept under."""

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            message = f"the key must have {KEY_BYTES} bytes, not {len(key)}"
            raise BadKey(message)
        self._cipher = AESGCM(key)

    def seal(self, secret: str, *, name: str) -> bytes:
        """The secret, encrypted; only `open` with the same name gives it back."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, secret.encode(), name.encode())

    def open(self, sealed: bytes, *, name: str) -> str:
        """What was sealed under the name. Raises BadKey when the key or the name is another."""
        try:
            return self._cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], name.encode()).decode()
        except Exception as error:
            message = f"the secret of {name} was sealed with another key"
            raise BadKey(message) from error


def open_vault(folder: Path, key_from_environment: str, *, store_exists: bool) -> Vault:
    """
    The vault of a data folder: its key is the environment's, else a file of mode 0600 made at the first run.

    Where there is a store already, a missing key is not made anew: it would open nothing.
    """
    if key_from_environment:
        return _vault_of(key_from_environment.encode(), "CLEARTOSEND_KEY")
    path = folder / "secret.key"
    if not path.exists():
        if store_exists:
            message = f"{path} is missing: without it the secrets in the store cannot be read"
            raise BadKey(message)
        _make_key(path)
    return _vault_of(path.read_bytes().strip(), str(path))


def _vault_of(written: bytes, where: str) -> Vault:
    try:
        return Vault(base64.b64decode(written, validate=True))
    except (binascii.Error, BadKey) as error:
        message = f"{where}: it must hold {KEY_BYTES} bytes in base64"
        raise BadKey(message) from error


def _make_key(path: Path) -> None:
    # Written under another name first: whoever sees the file sees a whole key, and of two makers one wins.
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(base64.b64encode(os.urandom(KEY_BYTES)) + b"\n")
        file.flush()
        os.fsync(file.fileno())
    with contextlib.suppress(FileExistsError):
        os.link(draft, path)
    draft.unlink()
