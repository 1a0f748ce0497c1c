"""Serves Bareos' REST library before a director, calls its routes, prints one line of JSON for each answer.

Reads its orders as JSON: port, name, director (its name), username, password, calls (method, path, body).
"""

import json
import os
import socket
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

orders = json.load(sys.stdin)
os.chdir(tempfile.mkdtemp())
with open("api.ini", "w") as settings:
    settings.write(
        "[Director]\nName=%s\nAddress=127.0.0.1\nPort=%d\n"
        "[JWT]\nsecret_key=%s\nalgorithm=HS256\naccess_token_expire_minutes=30\n"
        % (orders["director"], orders["port"], "5" * 64)
    )

import bareos_restapi
import uvicorn

listener = socket.socket()
listener.bind(("127.0.0.1", 0))
base = "http://127.0.0.1:%d" % listener.getsockname()[1]
server = uvicorn.Server(uvicorn.Config(bareos_restapi.app, log_level="error"))
threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True).start()
while not server.started:
    time.sleep(0.05)


def call(method, path, data=None, headers={}):
    request = urllib.request.Request(base + path, data=data, headers=headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.read().decode("utf-8")
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode("utf-8")


form = urllib.parse.urlencode({"username": orders["username"], "password": orders["password"]}).encode()
status, text = call("POST", "/token", form, {"Content-Type": "application/x-www-form-urlencoded"})
print(json.dumps({"path": "/token", "status": status, "body": {}}), flush=True)
if status != 200:
    sys.exit(0)
authorization = {"Authorization": "Bearer " + json.loads(text)["access_token"]}
for method, path, body in orders["calls"]:
    headers = dict(authorization)
    data = None
    if body is not None:
        headers["Content-Type"] = "application/json"
        data = json.dumps(body).encode()
    status, text = call(method, path, data, headers)
    # What it does not expect it says in plain text.
    is_json = text.startswith(("{", "["))
    print(json.dumps({"path": path, "status": status, "body": json.loads(text) if is_json else text}), flush=True)
