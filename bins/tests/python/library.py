"""Keeps sessions of python-bareos open: reads an order as one line of JSON, prints one line of JSON for each.

An order to log in names a session: open, kind (json, text or file), and the arguments of the library's class. Any other
names the session it is for: to, call.
"""

import json
import socket
import ssl
import sys

import bareos.bsock
import bareos.exceptions
from bareos.bsock.protocolversions import ProtocolVersions

KINDS = {
    "json": bareos.bsock.DirectorConsoleJson,
    "text": bareos.bsock.DirectorConsole,
    "file": bareos.bsock.FileDaemon,
}
PROTOCOLS = {"old": ProtocolVersions.bareos_12_4, "new": ProtocolVersions.last}
REFUSALS = (bareos.exceptions.Error, ssl.SSLError, socket.error)
sessions = {}


def opened(order):
    options = {"address": "127.0.0.1"}
    if order["kind"] != "file":
        options["timeout"] = 60
    options.update(order["options"])
    options["password"] = bareos.bsock.Password(options["password"])
    if "protocolversion" in options:
        options["protocolversion"] = PROTOCOLS[options["protocolversion"]]
    try:
        session = KINDS[order["kind"]](**options)
    except REFUSALS as error:
        return {"refused": type(error).__name__}
    sessions[order["open"]] = session
    version = getattr(session.socket, "version", None)
    protocol = None
    if order["kind"] != "file":
        protocol = "old" if session.get_protocol_version() == ProtocolVersions.bareos_12_4 else "new"
    return {"tls": version() if version else None, "protocol": protocol}


def called(order):
    try:
        answer = sessions[order["to"]].call(order["call"])
    except bareos.exceptions.JsonRpcInvalidJsonReceivedException:
        return {"invalid": True}
    except bareos.exceptions.JsonRpcErrorReceivedException as error:
        return {"error": error.jsondata["error"]}
    except REFUSALS as error:
        return {"lost": type(error).__name__}
    if isinstance(answer, (bytes, bytearray)):
        answer = answer.decode("utf-8")
    return {"result": answer}


for line in sys.stdin:
    order = json.loads(line)
    answer = opened(order) if "open" in order else called(order)
    print(json.dumps(answer), flush=True)
