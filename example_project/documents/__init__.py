"""What this host adds of its own: a capability, and a handler of events."""
