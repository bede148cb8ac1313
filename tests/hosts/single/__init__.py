"""A host with one tenant, API keys and nothing else: no session, no middleware, no template."""
