"""Models of engines: which there are, how they come onto the box, and what lies there."""
