"""Airos Edge: the voice appliance of a house, in one daemon."""

__version__ = "0.1.0"
