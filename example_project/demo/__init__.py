"""The demo: a small model on this machine, the server, and a client that talks to it over HTTP."""
