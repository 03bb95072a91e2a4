"""A thermometer and a display that know nothing of each other.

usage: weather.py measure N    stores N temperatures
       weather.py show N       prints the next N, and waits for them

The address of Redis is taken from REDIS_URL.
"""

import os
import sys

import redis

from netspaces import Workspace


def main():
    if len(sys.argv) != 3 or sys.argv[1] not in ("measure", "show"):
        sys.exit(__doc__)
    n = int(sys.argv[2])
    rdb = redis.Redis.from_url(os.environ.get("REDIS_URL") or "redis://127.0.0.1:6379")
    with Workspace.use(rdb, "weather", create=True) as ws:
        for i in range(n):
            if sys.argv[1] == "measure":
                ws.store("temperature", 20 + i / 2)
            else:
                print(ws.fetch("temperature"), flush=True)


if __name__ == "__main__":
    main()
