"""Names for what happens: as OpenAI writes them, a kind and 21 letters or digits."""

import secrets
import string

ALPHABET = string.ascii_letters + string.digits
LENGTH = 21


def new_id(kind: str) -> str:
    """Unguessable: 124 bits. One call to the system, since some twenty are made for each turn."""
    return f"{kind}_{chance(LENGTH)}"


def chance(length: int) -> str:
    """So many letters and digits."""
    return "".join(ALPHABET[byte % len(ALPHABET)] for byte in secrets.token_bytes(length))
