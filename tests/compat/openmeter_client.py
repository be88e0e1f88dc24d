"""Asks as OpenMeter's client does. Reads {"url", "token", "calls"}, prints what came of each."""

import datetime
import json
import sys

import openmeter
from azure.core.exceptions import HttpResponseError


def call(client, given):
    more = {}
    if "time" in given:
        more["time"] = datetime.datetime.fromisoformat(given["time"])
    try:
        return {"answer": client.get_entitlement_value(*given["arguments"], **more)}
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
