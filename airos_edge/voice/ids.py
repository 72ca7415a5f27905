"""Names for what happens: as OpenAI writes them, a kind and 21 letters or digits."""

import secrets
import string

ALPHABET = string.ascii_letters + string.digits


def new_id(kind: str) -> str:
    return f"{kind}_{''.join(secrets.choice(ALPHABET) for _ in range(21))}"
