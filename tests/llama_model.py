"""Models of random weights that any llama.cpp can load. What they write means nothing."""

from collections.abc import Mapping
from itertools import product
from pathlib import Path

import gguf
import numpy as np

SYLLABLES = ["".join(letters) for letters in product("bdfgklmnprst", "aeiou")]
MARKS = ["<|im_start|>", "<|im_end|>", "<tool_call>", "</tool_call>", "<think>", "</think>"]
UNKNOWN, END, CALL = 0, 2, 3
TEMPLATE = """
{%- if tools %}<|im_start|>system
{% if messages[0].role == 'system' %}{{ messages[0].content }}

{% endif %}# Tools
You are provided with function signatures within <tools></tools> XML tags:
<tools>
{%- for tool in tools %}
{{ tool | tojson }}
{%- endfor %}
</tools>

For each function call, return a json object with its name and arguments within <tool_call></tool_call> tags:
<tool_call>{"name": <function-name>, "arguments": <args-json-object>}</tool_call><|im_end|>
{% elif messages[0].role == 'system' %}<|im_start|>system
{{ messages[0].content }}<|im_end|>
{% endif %}
{%- for message in messages %}
{%- if message.role == 'user' or (message.role == 'system' and not loop.first) %}<|im_start|>{{ message.role }}
{{ message.content }}<|im_end|>
{% elif message.role == 'assistant' %}<|im_start|>assistant
{{ message.content or '' }}
{%- for call in message.tool_calls or [] %}
<tool_call>{"name": "{{ call.function.name }}", "arguments": {{ call.function.arguments | tojson }}}</tool_call>
{%- endfor %}<|im_end|>
{% elif message.role == 'tool' %}<|im_start|>user
<tool_response>
{{ message.content }}
</tool_response><|im_end|>
{% endif %}
{%- endfor %}
{%- if add_generation_prompt %}<|im_start|>assistant
{% endif %}"""
"""As Qwen 2.5's: llama.cpp knows by it how the model calls tools."""


def vocabulary() -> dict[str, gguf.TokenType]:
    words = [mark + syllable for mark in ("\u2581", "") for syllable in ["", *SYLLABLES]]
    marks = [f"<0x{byte:02X}>" for byte in range(256)]
    return {
        "<unk>": gguf.TokenType.UNKNOWN,
        "<s>": gguf.TokenType.CONTROL,
        "</s>": gguf.TokenType.CONTROL,
        **dict.fromkeys(MARKS, gguf.TokenType.USER_DEFINED),
        "<|im_start|>": gguf.TokenType.CONTROL,
        "<|im_end|>": gguf.TokenType.CONTROL,
        **dict.fromkeys(marks, gguf.TokenType.BYTE),
        **dict.fromkeys(filter(None, words), gguf.TokenType.NORMAL),
        **dict.fromkeys((chr(code) for code in range(33, 127)), gguf.TokenType.NORMAL),
    }


def write_model(
    path: Path,
    liking: Mapping[str, float] | None = None,
    layers: int = 1,
    width: int = 64,
    context: int = 2048,
    seed: int = 1,
) -> Path:
    """`liking`: how much more than others it likes a token, in logits: one it dislikes (-100) never comes."""
    kinds = vocabulary()
    tokens = list(kinds)
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_context_length(context)
    writer.add_embedding_length(width)
    writer.add_block_count(layers)
    writer.add_feed_forward_length(2 * width)
    writer.add_head_count(width // 16)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(16)
    writer.add_vocab_size(len(tokens))
    writer.add_tokenizer_model("llama")
    writer.add_token_list([token.encode() for token in tokens])
    # Longer tokens are better: so words are whole.
    writer.add_token_scores([float(len(token)) for token in tokens])
    writer.add_token_types(list(kinds.values()))
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(tokens.index("<|im_end|>"))
    writer.add_unk_token_id(UNKNOWN)
    writer.add_add_space_prefix(False)
    writer.add_chat_template(TEMPLATE)
    for name, values in _weights(tokens, dict(liking or {}), layers, width, seed).items():
        writer.add_tensor(name, values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _weights(
    tokens: list[str], liking: Mapping[str, float], layers: int, width: int, seed: int
) -> dict[str, "np.typing.NDArray[np.float32]"]:
    """The first number of every hidden state is the same, and large: what the output makes of it is what the
    model likes."""
    random = np.random.default_rng(seed)

    def some(*shape: int) -> "np.typing.NDArray[np.float32]":
        return (random.normal(0, 1, shape) / np.sqrt(shape[-1])).astype(np.float32)

    def ones(*shape: int) -> "np.typing.NDArray[np.float32]":
        return np.ones(shape, np.float32)

    constant = 3.0
    weights = {
        "token_embd.weight": some(len(tokens), width) * np.sqrt(width).astype(np.float32),
        "output_norm.weight": ones(width),
        "output.weight": some(len(tokens), width) * 2,
    }
    for layer in range(layers):
        for name in ("attn_q", "attn_k", "attn_v", "attn_output"):
            weights[f"blk.{layer}.{name}.weight"] = some(width, width)
        weights[f"blk.{layer}.attn_norm.weight"] = ones(width)
        weights[f"blk.{layer}.ffn_norm.weight"] = ones(width)
        weights[f"blk.{layer}.ffn_gate.weight"] = some(2 * width, width)
        weights[f"blk.{layer}.ffn_up.weight"] = some(2 * width, width)
        weights[f"blk.{layer}.ffn_down.weight"] = some(width, 2 * width)
        weights[f"blk.{layer}.attn_output.weight"][0] = 0
        weights[f"blk.{layer}.ffn_down.weight"][0] = 0
    weights["token_embd.weight"][:, 0] = constant
    weights["output.weight"][:, 0] = 0
    for token, by in liking.items():
        # After the norm the number is about 2 of a hidden state whose others are about 1.5.
        weights["output.weight"][tokens.index(token), 0] = by / 2
    return weights
