"""Ask the web whether it serves: ``python -m crm.local.healthy <address>``; exit 1 when it does not.

Asks as the proxy in front of it would, so that neither the redirect to https nor the check of the name stands
in the way.
"""

import os
import sys
import urllib.error
import urllib.request


def is_healthy(address: str) -> bool:
    host = os.environ.get("CRM_ALLOWED_HOSTS", "127.0.0.1").split(",")[0].lstrip(".")
    request = urllib.request.Request(address, headers={"X-Forwarded-Proto": "https", "Host": host})  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=4) as answer:  # noqa: S310  (an address of our own)
            return answer.status == 200
    except OSError:
        return False


if __name__ == "__main__":
    sys.exit(0 if is_healthy(sys.argv[1]) else 1)
