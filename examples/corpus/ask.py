"""One HTTP request, read from standard input as JSON; the answer is printed as JSON. Run in a container's network."""

from __future__ import annotations

import http.client
import json
import sys


def main() -> None:
    request = json.load(sys.stdin)
    body = request["body"].encode()
    headers = {"Host": "localhost"}
    if body:
        is_json = body.startswith((b"{", b"["))
        headers["Content-Type"] = "application/json" if is_json else "application/x-www-form-urlencoded"
    connection = http.client.HTTPConnection("127.0.0.1", request["port"], timeout=request["timeout"])
    try:
        connection.request(request["method"], request["path"], body or None, headers)
        response = connection.getresponse()
        answer = {
            "code": response.status,
            "text": response.read().decode(errors="backslashreplace"),
            "headers": str(response.headers),
        }
    except (OSError, http.client.HTTPException) as error:
        answer = {"code": None, "text": repr(error), "headers": ""}
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
