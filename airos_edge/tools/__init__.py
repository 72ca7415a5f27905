"""What a model may call: MCP servers, and the house beside them."""
