"""A served host whose jobs say what a test tells them to, when it tells them to."""
