"""``splitshare`` as the workflow's jobs call it: a fork of ``job_server.py``, or the plain command where there is none.

``python -SE job_client.py SOCKET WORD ...``; only the standard library, so that it starts in hundredths of a second.
"""

import json
import os
import signal
import socket
import sys

LENGTH = 8
"""Bytes that say how long the description of a job is."""
BEGUN = b"+"
"""What comes back as soon as the job runs."""
CODE = 4
"""Bytes of the exit code that comes back."""
FILES = 16
"""Open files that a job hands over, at most."""
LOCK = 9
"""The file by which a job holds its run's lock (``rules/common.smk``)."""


def main() -> None:
    """Hand the job over and end as it does."""
    address, arguments = sys.argv[1], ["splitshare", *sys.argv[2:]]
    server = socket.socket(socket.AF_UNIX)
    numbers = [number for number in (0, 1, 2, LOCK) if _open(number)]
    told = {
        "arguments": arguments,
        "environment": dict(os.environ),
        "directory": os.getcwd(),  # noqa: PTH109 - without pathlib, which takes as long as all the rest
        "numbers": numbers,
    }
    text = json.dumps(told).encode()
    try:
        server.connect(address)
        socket.send_fds(server, [len(text).to_bytes(LENGTH, "big")], numbers)
        server.sendall(text)
        begun = server.recv(len(BEGUN))
    except OSError:  # there is no server, or no more
        begun = b""
    if begun != BEGUN:
        os.execvp(arguments[0], arguments)  # noqa: S606 - the job itself, as Snakemake would start it
    code = server.recv(CODE, socket.MSG_WAITALL)
    if len(code) < CODE:
        sys.exit("error: the server of the workflow's jobs has ended before the job")
    status = int.from_bytes(code, "big", signed=True)
    if status < 0:  # ended by a signal: end by it, too
        if -status == signal.SIGINT:  # the others end a process already, and SIGKILL takes no handler
            signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    sys.exit(status)


def _open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True


if __name__ == "__main__":
    main()
