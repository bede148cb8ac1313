"""A child process that tells its id and waits for the end of its standard input."""

import os

if __name__ == "__main__":
    print(os.getpid(), flush=True)
    os.read(0, 1)
