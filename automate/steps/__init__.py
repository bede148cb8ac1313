"""What workflows can do: the types of steps."""
