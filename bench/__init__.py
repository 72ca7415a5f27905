"""How fast, how much: the figures of this project, by `python -m bench`."""
