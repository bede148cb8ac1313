"""The demo's web server: `python -m example_project.demo.server PORT` serves until its standard input ends."""

import os
import sys
import threading

import uvicorn


def serve(port: int) -> None:
    """uvicorn on 127.0.0.1, stopped in order when the process that started this one is gone."""
    config = uvicorn.Config(
        "example_project.asgi:application",
        host="127.0.0.1",
        port=port,
        log_level="info",
        lifespan="off",
        timeout_graceful_shutdown=5,
    )
    server = uvicorn.Server(config)

    def stop_with_starter() -> None:
        os.read(sys.stdin.fileno(), 1)
        server.should_exit = True

    threading.Thread(target=stop_with_starter, daemon=True).start()
    server.run()


if __name__ == "__main__":
    serve(int(sys.argv[1]))
