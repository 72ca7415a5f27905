"""The house: what can be spoken to, and what happens to it."""
