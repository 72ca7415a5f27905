"""What a key may be for."""

REALTIME, TRANSCRIPTION, AUDIO, METRICS = SCOPES = ("realtime", "transcription", "audio", "metrics")
"""Conversations; what was said, and no answers; recordings and speech over REST; how much the box is used."""
