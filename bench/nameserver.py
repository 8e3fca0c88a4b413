"""A name server of our own on loopback: every name below ``.test`` is 127.0.0.1, until it falls silent."""

from __future__ import annotations

import shutil
import socket
import subprocess
import threading
from contextlib import suppress
from pathlib import Path
from typing import Final

#: resolv.conf knows no ports: it takes root to listen there, and a namespace to ask there.
ADDRESS: Final = "127.0.0.153"
PORT: Final = 53
_LOOPBACK: Final = bytes((127, 0, 0, 1))
_A: Final = 1


def answer(question: bytes) -> bytes:
    """What RFC 1035 wants for one question: an A record for ``.test``, nothing for other types and names."""
    end = 12
    labels: list[bytes] = []
    while size := question[end]:
        labels.append(question[end + 1 : end + 1 + size].lower())
        end += 1 + size
    end += 5
    kind = int.from_bytes(question[end - 4 : end - 2], "big")
    ours = labels[-1:] == [b"test"]
    found = ours and kind == _A
    flags = b"\x81\x80" if ours else b"\x81\x83"  # NXDOMAIN
    counts = b"\x00\x01" + (b"\x00\x01" if found else b"\x00\x00") + bytes(4)
    record = b"\xc0\x0c\x00\x01\x00\x01" + (1).to_bytes(4, "big") + b"\x00\x04" + _LOOPBACK if found else b""
    return question[:2] + flags + counts + question[12:end] + record


class NameServer:
    """Answers in a thread for the length of a ``with`` block. Raises OSError where it may not listen."""

    def __init__(self) -> None:
        self.silent = False
        self.asked = 0
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((ADDRESS, PORT))
        self._thread = threading.Thread(target=self._serve, name="names", daemon=True)

    def __enter__(self) -> NameServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RD)
        self._socket.close()
        self._thread.join(5)

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                question, sender = self._socket.recvfrom(4096)
                if not sender:
                    return
                self.asked += 1
                if not self.silent:
                    with suppress(IndexError):
                        self._socket.sendto(answer(question), sender)


def asking(directory: Path) -> list[str] | None:
    """Words before a command that then asks our server for names; None where no mount namespace can be made."""
    script = directory / "names.sh"
    resolv = directory / "resolv.conf"
    resolv.write_text(f"nameserver {ADDRESS}\n", encoding="ascii")
    script.write_text(f'#!/bin/sh\nmount --bind {resolv} /etc/resolv.conf && exec "$@"\n', encoding="utf-8")
    script.chmod(0o755)
    unshare = shutil.which("unshare")
    if unshare is None:
        return None
    words = [unshare, "--mount", str(script)]
    tried = subprocess.run([*words, "true"], capture_output=True, check=False)
    return words if tried.returncode == 0 else None
