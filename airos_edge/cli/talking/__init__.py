"""What `airos talk` is made of."""
