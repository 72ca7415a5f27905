"""What the box says and understands of its own in each language, beside Home Assistant's sentences.

A language is one file here, `de.yaml`: what is said, what else is understood, and the demonstration house.
"""
