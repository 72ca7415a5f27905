"""What a model reads of a result."""

from typing import Any

import pytest
from mcp import types

from airos_edge.tools.mcp_wire import LONGEST_RESULT, text_of

TEXT = types.TextContent(type="text", text="hello")
IMAGE = types.ImageContent(type="image", data="aGVsbG8=", mime_type="image/png")
AUDIO = types.AudioContent(type="audio", data="aGVsbG8=", mime_type="audio/wav")
LINK = types.ResourceLink(type="resource_link", name="notes", uri="file:///notes.txt")
FILE = types.EmbeddedResource(
    type="resource", resource=types.TextResourceContents(uri="file:///a.txt", text="milk")
)
BLOB = types.EmbeddedResource(
    type="resource",
    resource=types.BlobResourceContents(uri="file:///a.gz", blob="aGk=", mime_type="app/gzip"),
)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ([], ""),
        ([TEXT, TEXT], "hello\nhello"),
        ([TEXT, IMAGE, AUDIO], "hello\n(image, image/png)\n(audio, audio/wav)"),
        ([LINK, FILE, BLOB], "(notes: file:///notes.txt)\nmilk\n(file:///a.gz, app/gzip)"),
    ],
)
def test_texts_are_read_and_anything_else_is_named(content: list[Any], text: str) -> None:
    assert text_of(types.CallToolResult(content=content)) == text


def test_where_there_is_no_text_what_is_structured_is_read() -> None:
    result = types.CallToolResult(content=[], structured_content={"city": "Zürich", "degrees": 8})
    assert text_of(result) == '{"city": "Zürich", "degrees": 8}'


def test_the_end_of_a_long_result_is_cut_off_and_that_is_said() -> None:
    long = types.TextContent(type="text", text="x" * (LONGEST_RESULT + 1))
    read = text_of(types.CallToolResult(content=[long]))
    assert read == f"{'x' * LONGEST_RESULT}… (cut off: it has {LONGEST_RESULT + 1} characters)"
