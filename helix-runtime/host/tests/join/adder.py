"""Adds numbers for a host that it joins: `adder.py SOCKET TOKEN`."""

import sys

from helix import HEALTH, IGNORED, Module, Reader, Refused, Writer

module = Module("1.2.0", "Adds.", provides=["arithmetic"], permissions=["call/helper.double", "call/helper.back", "call/helper.who", "publish/adder", "subscribe/flow"])
heard = []


@module.request("add")
def add(payload):
    reader = Reader(payload)
    return bytes(Writer().uint(reader.uint() + reader.uint()).out)


@module.request("sum")
def total(_):
    return bytes(Writer().uint(sum(heard)).out)


@module.request("double")
def double(payload):
    """Another module does it."""
    doubled = module.call("helper", "double", payload, timeout=1.5)
    module.publish("adder.doubled", doubled)
    return doubled


@module.request("count")
def count(_):
    """As far as it comes until nobody waits for it."""
    counted = 0
    while module.time_left() != 0:
        counted += 1
    return bytes(Writer().uint(counted).out)


@module.request("circle")
def circle(payload):
    return module.call("helper", "back", payload)


@module.request("forge")
def forge(_):
    """Who asks, as another one is told that it is the host."""
    return bytes(Writer().bytes(module.send("helper", "who", source="helix")).out)


@module.request("wrong")
def wrong(payload):
    what = Reader(payload).text()
    if what == "raise":
        raise KeyError("told to")
    if what == "call":
        module.call("helper", "secret")
    module.publish(what)


@module.request("motto")
def motto(_):
    return bytes(Writer().text(module.config("motto") or "none").out)


@module.event("flow.number")
def number(_, payload):
    value = Reader(payload).uint()
    if value == 13:
        return IGNORED
    if value == 14:
        raise ValueError("not 14")
    heard.append(value)


@module.step(HEALTH)
def healthy():
    return 666 not in heard


try:
    module.join(sys.argv[1], sys.argv[2])
except Refused as refused:
    print(refused)
    sys.exit(3)
