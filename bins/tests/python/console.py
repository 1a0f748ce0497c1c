"""Logs in to a director with python-bareos, sends commands, prints one line of JSON for each answer.

Reads its orders as JSON: port, name (null: the default console), password, tls, json (API mode 2), commands.
"""

import json
import ssl
import sys

import bareos.bsock
import bareos.exceptions

orders = json.load(sys.stdin)
options = {
    "address": "127.0.0.1",
    "port": orders["port"],
    "password": bareos.bsock.Password(orders["password"]),
    "tls_psk_enable": orders["tls"],
    "tls_psk_require": orders["tls"],
    "timeout": 60,
}
if orders["name"] is not None:
    options["name"] = orders["name"]
kind = bareos.bsock.DirectorConsoleJson if orders["json"] else bareos.bsock.DirectorConsole


def say(value):
    print(json.dumps(value), flush=True)


try:
    console = kind(**options)
except (bareos.exceptions.Error, ssl.SSLError) as error:
    say({"refused": type(error).__name__})
    sys.exit(0)

version = getattr(console.socket, "version", None)
say({"tls": version() if version else None})
for command in orders["commands"]:
    try:
        answer = console.call(command)
        say({"result": answer.decode("utf-8") if isinstance(answer, (bytes, bytearray)) else answer})
    except bareos.exceptions.JsonRpcErrorReceivedException as error:
        say({"error": error.jsondata["error"]})
