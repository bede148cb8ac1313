"""The OpenAPI description: its golden file, and clients made from it."""
