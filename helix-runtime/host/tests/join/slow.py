"""Reads what it is told as slowly as it can: `slow.py SOCKET TOKEN WHERE`."""

import sys
import time

from helix import Frames, Module, Refused, Writer

module = Module("1.0.0", "Is slow.")


class Slow(Frames):
    """A socket that is read a little at a time, and never not at all."""

    def fill(self, length):
        while length > 64 and len(self.room) < length:
            time.sleep(0.1)
            self.room += self.sock.recv(20000)
        super().fill(length)


@module.request("ask")
def ask(payload):
    channel = module.here.channel
    if sys.argv[3] == "answers":
        channel.__class__ = Slow
        module.ask(Writer().uint(5).text("n" * (5 << 20)).text("nothing"))
    # A reply, a byte at a time.
    message = Writer().uint(0).uint(0).bytes(b"x" * 2000).bytes(b"").out
    channel.sock.sendall(len(message).to_bytes(4, "little"))
    for byte in message:
        channel.sock.sendall(bytes([byte]))
        time.sleep(0.1)


try:
    module.join(sys.argv[1], sys.argv[2])
except (Refused, OSError):
    pass
