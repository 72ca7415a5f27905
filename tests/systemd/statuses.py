"""What the door answers without a key, with a wrong one, and with the one that is given; 426 is "upgrade"."""

import sys
from urllib.error import HTTPError
from urllib.request import Request, urlopen

URL = "http://127.0.0.1:8765/v1/realtime"


def status(key: str) -> int:
    try:
        with urlopen(Request(URL, headers={"api-key": key}), timeout=10) as answer:
            return int(answer.status)
    except HTTPError as error:
        return error.code


print(*[status(key) for key in ("", "wrong", sys.argv[1])])
