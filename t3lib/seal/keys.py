"""The key that signs packs: ed25519, its private half in a file of its own, its public half as one line of text."""

import base64
import os
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from t3lib.settings import ROOT, SettingsError, settings

PREFIX = "t3-ed25519:"


def place() -> Path:
    """The file of the private key: T3_PACK_KEY, else ~/.config/t3/pack.key. Raises SettingsError for a place inside the
    repository, T3_HOME or T3_OUTPUTS, whose files are committed, copied or deleted."""
    path = (settings().pack_key or Path("~/.config/t3/pack.key")).expanduser().resolve()
    for folder, name in ((ROOT, "the repository"), (settings().outputs, "T3_OUTPUTS"), (settings().home, "T3_HOME")):
        if path.is_relative_to(folder.resolve()):
            raise SettingsError(f"T3_PACK_KEY: {path} lies in {name}; keep the private key elsewhere.")
    return path


def make() -> tuple[str, bool]:
    """(public key, whether it was made now): the key that is there is never replaced."""
    path = place()
    if path.exists():
        return public(private()), False
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    key = Ed25519PrivateKey.generate()
    text = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(text)
    return public(key), True


def private() -> Ed25519PrivateKey:
    """The private key. Raises SettingsError where there is none, it cannot be read, or others may read it."""
    path = place()
    try:
        if os.name == "posix" and path.stat().st_mode & 0o077:
            raise SettingsError(f"{path} can be read by others: chmod 600 {path}")
        key = load_pem_private_key(path.read_bytes(), None)
    except FileNotFoundError:
        raise SettingsError(f"There is no key at {path}: make one with `t3 pack key`.") from None
    except (ValueError, TypeError) as error:
        raise SettingsError(f"{path} is no private key: {error}") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise SettingsError(f"{path} is a key of another kind: packs are signed with ed25519.")
    return key


def own_public() -> str | None:
    """The public key of this machine's private key; None without one."""
    try:
        return public(private())
    except (SettingsError, OSError):
        return None


def public(key: Ed25519PrivateKey) -> str:
    """The public half of a key, as people pass it on."""
    return PREFIX + base64.b64encode(key.public_key().public_bytes_raw()).decode()


def given(text: str) -> str:
    """A public key as a person gives it: the line itself, or the name of a file that holds it. Raises SettingsError."""
    path = Path(text)
    if not text.startswith(PREFIX) and path.is_file():
        text = path.read_text(encoding="utf-8").strip()
    if _public(text) is None:
        raise SettingsError(f"{text[:60]!r} is no public key: it is one line that begins with {PREFIX}")
    return text


def sign(content: bytes, key: Ed25519PrivateKey) -> str:
    """The signature of some bytes, as text."""
    return base64.b64encode(key.sign(content)).decode()


def is_signed(content: bytes, signature: str, public_key: str) -> bool:
    """Whether a public key's owner signed these bytes."""
    key = _public(public_key)
    try:
        if key is None:
            return False
        key.verify(base64.b64decode(signature, validate=True), content)
    except (InvalidSignature, ValueError):
        return False
    return True


def _public(text: str) -> Ed25519PublicKey | None:
    if not text.startswith(PREFIX):
        return None
    try:
        return Ed25519PublicKey.from_public_bytes(base64.b64decode(text.removeprefix(PREFIX), validate=True))
    except ValueError:
        return None
