"""What one request may hold. The commands keep to it too, with a daemon and without one."""

from airos_edge.errors import AirosError

LARGEST_BODY_BYTES = 64 * 1024 * 1024
"""More than a minute takes in any form: at 48 kHz, stereo, 64 bit it is 46 MB."""
LONGEST_TEXT = 10_000
"""Characters. To say them takes ten minutes and 30 MB."""


def text_within(text: str, purpose: str) -> str:
    """The text without the space around it.

    Raises AirosError, with what it was for ("say"), when it is empty, too long or no text.
    """
    text = text.strip()
    if not text:
        raise AirosError(f"there is nothing to {purpose}: the text is empty")
    if len(text) > LONGEST_TEXT:
        raise AirosError(f"{len(text)} characters are too many to {purpose}; {LONGEST_TEXT} fit")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise AirosError(
            f"there is nothing to {purpose}: character {error.start + 1} is not valid text"
        ) from None
    return text
