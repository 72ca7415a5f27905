"""What tells others in the network that the box is there."""
