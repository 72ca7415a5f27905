"""The one listener; faces hand it their routes."""
