"""Starts a command in a network namespace: ``python -m ...enter_namespace USER NET COMMAND...``.

``USER`` is the process whose user namespace is entered first, or ``-``; ``NET`` the one whose network namespace is
entered, or ``new``. A new namespace goes when the last process in it has gone, and everything in it with it.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Sequence

NEW_USER, NEW_NET = 0x10000000, 0x40000000
"""``CLONE_NEWUSER`` and ``CLONE_NEWNET``."""


def unshare(flags: int) -> None:
    """Take namespaces of one's own.

    Raises:
        OSError: the kernel does not allow it.
    """
    if ctypes.CDLL(None, use_errno=True).unshare(flags):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), "unshare")


def enter(pid: str, kind: str, flag: int) -> None:
    """Enter the namespace of another process; ``kind`` is ``user`` or ``net``.

    Raises:
        OSError: the kernel does not allow it.
    """
    path = f"/proc/{pid}/ns/{kind}"
    namespace = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    if ctypes.CDLL(None, use_errno=True).setns(namespace, flag):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), path)
    os.close(namespace)


def main(user: str, net: str, command: Sequence[str]) -> None:
    """Enter and become the command."""
    if user != "-":
        enter(user, "user", NEW_USER)
    if net == "new":
        unshare(NEW_NET)
    else:
        enter(net, "net", NEW_NET)
    os.execv(command[0], list(command))  # noqa: S606 - the worker that the driver starts


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
