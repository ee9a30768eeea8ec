"""A module of a Helix host in Python: the protocol of docs/process.md, version 1, and nothing else."""

import array
import socket
import struct
import threading

PREAMBLE = b"helixipc\x01\0\x01\0"
LONGEST = 16 << 20
HANDLED, IGNORED, DEFERRED, FAILED, PANICKED = range(5)
INIT, START, STOP, HEALTH = range(4)


class Gone(Exception):
    """The host has closed a socket."""


class Refused(Exception):
    """The host has refused what was asked, and says why."""


class Writer:
    """Postcard, as it is written."""

    def __init__(self):
        self.out = bytearray()

    def uint(self, number):
        while number >= 0x80:
            self.out.append(number & 0x7F | 0x80)
            number >>= 7
        self.out.append(number)
        return self

    def int(self, number):
        return self.uint(number << 1 if number >= 0 else (-number << 1) - 1)

    def byte(self, number):
        self.out.append(number)
        return self

    def bytes(self, data):
        self.uint(len(data))
        self.out += data
        return self

    def text(self, text):
        return self.bytes(text.encode())

    def texts(self, texts):
        self.uint(len(texts))
        for text in texts:
            self.text(text)
        return self


class Reader:
    """Postcard, as it is read."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def byte(self):
        self.at += 1
        return self.data[self.at - 1]

    def uint(self):
        number, shift = 0, 0
        while True:
            byte = self.byte()
            number |= (byte & 0x7F) << shift
            if byte < 0x80:
                return number
            shift += 7

    def bytes(self):
        length = self.uint()
        self.at += length
        return bytes(self.data[self.at - length : self.at])

    def text(self):
        return self.bytes().decode()

    def option(self, read):
        return read() if self.byte() else None

    def event(self):
        """Its topic, its name, and its payload: the bytes that it was published as, or its value in postcard."""
        topic, name, kind = self.text(), self.text(), self.uint()
        if kind == 1:
            self.uint()  # the schema's hash
            self.text()  # and the schema
        return topic, name, self.bytes() if kind < 2 else None


def duration(writer, seconds):
    if seconds is None:
        return writer.byte(0)
    return writer.byte(1).uint(int(seconds)).uint(int(seconds % 1 * 1e9))


class Frames:
    """A socket with frames on it: the length as four bytes, little-endian, and so many bytes."""

    def __init__(self, sock):
        self.sock, self.room, self.sockets, self.lock = sock, bytearray(), [], threading.Lock()

    def send(self, message):
        with self.lock:
            self.sock.sendall(struct.pack("<I", len(message)) + message)

    def fill(self, length):
        while len(self.room) < length:
            data, ancillary, _, _ = self.sock.recvmsg(65536, socket.CMSG_SPACE(64))
            for level, kind, fds in ancillary:
                if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                    self.sockets += array.array("i", fds[: len(fds) // 4 * 4])
            if not data:
                raise Gone()
            self.room += data

    def take(self, length):
        self.fill(length)
        data, self.room = bytes(self.room[:length]), self.room[length:]
        return data

    def receive(self):
        (length,) = struct.unpack("<I", self.take(4))
        if length > LONGEST:
            raise Gone(f"a frame of {length} bytes")
        return self.take(length)


class Module:
    """What a program offers. Give it handlers, then `join`."""

    def __init__(self, version, description="", provides=(), permissions=()):
        self.version, self.description = version, description
        self.provides, self.permissions = list(provides), list(permissions)
        self.steps, self.handlers = {}, []
        self.here = threading.local()

    def request(self, name):
        """A request of that name: bytes in, bytes out."""
        return lambda run: self.handlers.append(("request", name, run)) or run

    def event(self, name):
        """The events of that topic or name."""
        return lambda run: self.handlers.append(("event", name, run)) or run

    def step(self, step):
        """A step of its life: INIT, START, STOP, or HEALTH, which gives whether it is well."""
        return lambda run: self.handlers.append(("step", step, run)) or run

    def table(self):
        out = Writer().uint(0).uint(len(self.handlers))
        for kind, name, _ in self.handlers:
            out.byte(1)  # alone in the module
            if kind == "step":
                out.uint(0).uint(name)
            elif kind == "event":
                out.uint(1).uint(1).text(name).int(0)
            else:  # its parameters, a line on it, no permission, no types: bytes
                out.uint(2).text(name).texts([]).text("").byte(0).byte(0)
        return bytes(out.uint(len(self.handlers)).out)

    def join(self, path, token):
        """Joins the host at a socket, and serves it until it ends."""
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        sock.connect(path)
        control = Frames(sock)
        sock.sendall(PREAMBLE)
        join = Writer().uint(4).text(token).text(self.version).text(self.description)
        control.send(join.texts(self.provides).texts(self.permissions).out)
        if (found := control.take(len(PREAMBLE))) != PREAMBLE:
            raise Refused(f"found the preamble {found}, expected {PREAMBLE}")
        told = Reader(control.receive())
        if (kind := told.uint()) != 3:
            raise Refused(told.text() if kind == 4 else f"found message {kind}, expected a welcome")
        self.name = told.text()
        # Whatever it says of a sandbox, nobody has put it into one.
        control.send(Writer().uint(0).bytes(self.table()).texts(["landlock"]).out)
        try:
            while True:
                message = Reader(control.receive())
                kind = message.uint()
                if kind == 4:  # what it has told of itself does not fit
                    raise Refused(message.text())
                if kind == 1:  # a channel
                    channel = Frames(socket.socket(fileno=control.sockets.pop(0)))
                    threading.Thread(target=self.converse, args=(channel,), daemon=True).start()
        except Gone:
            pass

    def converse(self, channel):
        self.here.channel = channel
        try:
            while True:
                status, reply, error = HANDLED, b"", b""
                try:
                    status, reply = self.perform(Reader(channel.receive()))
                except (Gone, OSError):
                    return
                except Exception as failed:  # told to whoever has called
                    status, error = FAILED, bytes(Writer().uint(0).text(f"{type(failed).__name__}: {failed}").out)
                channel.send(Writer().uint(0).uint(status).bytes(reply).bytes(error).out)
        except (Gone, OSError):
            pass

    def perform(self, down):
        kind = down.uint()
        if kind == 0:  # it is made
            self.id, self.data_dir = down.uint(), down.option(down.text)
            return HANDLED, b""
        if kind in (1, 10, 11):
            return HANDLED, b""
        if kind == 4:
            return HANDLED, self.events(down.bytes())
        what, name, run = self.handlers[down.uint()]
        if what == "step":
            well = run()
            return (IGNORED if name == HEALTH and not well else HANDLED), b""
        if what == "event":
            _, name, payload = down.event()
            return (HANDLED if run(name, payload) is not IGNORED else IGNORED), b""
        if kind != 6:
            raise ValueError(f"message {kind} for `{name}`, which takes bytes")
        down.text(), down.text()  # who asks, and for what
        return HANDLED, bytes(Writer().uint(0).bytes(run(down.bytes()) or b"").out)

    def events(self, items):
        """Events that came together: what became of them, handler by handler."""
        counts, failures, at = {}, [], 0
        while at < len(items):
            (length,) = struct.unpack_from("<I", items, at)
            item, at = Reader(items[at + 4 : at + 4 + length]), at + 4 + length
            is_event, entry = item.uint(), item.uint()
            count = counts.setdefault(entry, [0, 0, 0])
            try:
                _, name, payload = item.event() if is_event else (None, self.handlers[entry][1], item.bytes())
                count[self.handlers[entry][2](name, payload) is IGNORED] += 1
            except Exception as failed:
                count[2] += 1
                failures.append((entry, bytes(Writer().uint(0).text(f"{type(failed).__name__}: {failed}").out)))
        out = Writer().uint(len(counts))
        for entry, count in counts.items():
            out.uint(entry).uint(count[0]).uint(count[1]).uint(count[2])
        out.uint(0).uint(len(failures))
        for entry, failure in failures:
            out.uint(entry).bytes(failure)
        return bytes(out.out)

    def ask(self, message):
        """Asks the host in the conversation that this thread is in."""
        channel = self.here.channel
        channel.send(message.out)
        told = Reader(channel.receive())
        kind = told.uint()
        if kind == 6:
            told.bytes()  # the error as the host's own kind have it
            raise Refused(told.text())
        return kind, told

    def time_left(self):
        """How many seconds whoever has called still waits; None if for ever, 0 if the conversation is cancelled."""
        _, told = self.ask(Writer().uint(9))
        return told.option(lambda: told.uint() + told.uint() / 1e9)

    def config(self, key):
        """A configured value of the module's own, or None."""
        _, told = self.ask(Writer().uint(1).text(key))
        return told.option(told.text)

    def publish(self, name, payload=b""):
        """Publishes bytes under a name. Gives how many have handled it."""
        _, told = self.ask(Writer().uint(2).text(name).text(name).uint(0).bytes(payload))
        handled, *_ = [told.uint() for _ in range(6)]
        told.byte()
        failed_in = told.option(told.text)
        if failed_in == self.name:
            raise Refused("the host has refused it")
        return handled

    def call(self, target, request, payload=b"", timeout=None):
        """Calls a request of a module or a service with arguments in postcard. Gives the reply in postcard."""
        _, told = self.ask(Writer().uint(5).text(target).text(request))
        route = told.uint()
        _, told = self.ask(duration(Writer().uint(7).uint(route).text(request), timeout).bytes(payload))
        return told.bytes()

    def send(self, target, request, payload=b"", source=""):
        """Sends a request in bytes. Gives the response's bytes. The host says itself who asks, whatever `source` is."""
        _, told = self.ask(Writer().uint(5).text(target).text(request))
        letter = Writer().uint(8).uint(told.uint()).byte(0)
        letter.text(source).text(request).bytes(payload).byte(1).byte(0)
        _, told = self.ask(letter)
        if told.uint() != 0:
            raise Refused("found no success")
        return told.bytes()
