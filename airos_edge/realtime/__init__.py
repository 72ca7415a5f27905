"""The Realtime API: OpenAI's events on one side, a voice session on the other."""
