"""The demo: a small model on this machine, the server, and a client that talks to it over HTTP."""

MODEL = "smollm2-135m"  # what the model server calls it
