"""What the box tells of itself to who watches over it."""
