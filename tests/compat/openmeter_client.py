"""Asks as OpenMeter's client does. Reads {"url", "token", "calls"}, prints what came of each."""

import datetime
import json
import sys

import openmeter
from azure.core.exceptions import HttpResponseError

INSTANTS = ["time", "from_parameter", "to"]


def call(client, given):
    more = dict(given.get("more", {}))
    for name in INSTANTS:
        if name in more:
            more[name] = datetime.datetime.fromisoformat(more[name])
    operation = getattr(client, given["operation"])
    try:
        return {"answer": operation(*given.get("arguments", []), **more)}
    except HttpResponseError as error:
        return {"status": error.status_code}


def main():
    given = json.load(sys.stdin)
    results = []
    for each in given["calls"]:
        key = each.get("key", given["token"])
        headers = {"Accept": "application/json", "Authorization": f"Bearer {key}"}
        client = openmeter.Client(endpoint=given["url"], headers=headers, retry_total=0)
        results.append(call(client, each))
    json.dump(results, sys.stdout)


main()
