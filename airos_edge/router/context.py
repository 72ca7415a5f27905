"""What of a conversation is put before who is asked: as much of its end as they can read."""

import json
from collections.abc import Sequence
from dataclasses import replace

from airos_edge.errors import PromptError
from airos_edge.voice.history import Item
from airos_edge.voice.ports import Prompt

BYTES_PER_TOKEN = 4
"""There is no tokenizer here, as every model has its own. In English a token is four characters or so
(https://help.openai.com/en/articles/4936856), and what is written otherwise has more bytes per character."""
TOKENS_PER_ITEM = 4
"""Who says it, and where it ends."""
TOKENS_PER_PICTURE = 1000
"""Of a megapixel or so: Anthropic counts 750 pixels a token, and OpenAI 170 tokens for each 512 × 512."""


def fitted(prompt: Prompt, reads_tokens: int | None, name: str) -> Prompt:
    """The prompt without its oldest items, if they are more than who is asked reads, or was said to.

    It is cut as if it had been cut whenever one item too many came, so that the beginning stays the same
    for many questions, which models have read already. The user's last item and what came after it stay.
    Raises PromptError where nothing may be left out. `reads_tokens` None: whatever there is.
    """
    if reads_tokens is not None:
        told = f"{prompt.instructions or ''}{json.dumps(prompt.tools) if prompt.tools else ''}"
        reads_tokens -= _tokens(told)
    limits = [
        tokens for tokens in (reads_tokens, prompt.truncation.most_tokens) if tokens is not None
    ]
    if not limits:
        return prompt
    most, retention = max(0, min(limits)), prompt.truncation.retention
    sizes = [tokens_of(item) for item in prompt.items]
    if sum(sizes) <= most:
        return prompt
    if retention is None:
        message = f"the conversation is longer than {most} tokens, and `truncation` is disabled"
        raise PromptError(name, message, "context_length_exceeded")
    start = _start(sizes, most, retention, _last_question(prompt.items))
    cut = {item.call_id for item in prompt.items[:start] if item.kind == "function_call"}
    kept = (
        item
        for item in prompt.items[start:]
        if item.kind != "function_call_output" or item.call_id not in cut
    )
    return replace(prompt, items=tuple(kept))


def tokens_of(item: Item) -> int:
    """About so many."""
    said = _tokens(f"{item.text or ''}{item.name or ''}{item.arguments or ''}")
    return TOKENS_PER_ITEM + said + TOKENS_PER_PICTURE * len(item.pictures)


def _tokens(text: str) -> int:
    return -(-len(text.encode()) // BYTES_PER_TOKEN)


def _start(sizes: Sequence[int], most: int, retention: float, last: int) -> int:
    """Where what is kept begins, at the last item that is to be kept at the latest."""
    start = total = 0
    for place, size in enumerate(sizes):
        total += size
        if total <= most:
            continue
        while start < min(place, last) and total > retention * most:
            total -= sizes[start]
            start += 1
    return start


def _last_question(items: Sequence[Item]) -> int:
    places = (place for place in reversed(range(len(items))) if items[place].role == "user")
    return next(places, len(items) - 1)
