"""Asks as OpenMeter's current client does: {"url", "token", "calls"} in, what came of each out."""

import datetime
import json
import sys

import openmeter
from corehttp.exceptions import HttpResponseError


def call(given, each):
    client = openmeter.Client(endpoint=given["url"], token=each.get("key", given["token"]))
    try:
        if each.get("kind") == "access":
            answer = client.customer.get_customer_access(*each["arguments"])
        else:
            more = {}
            if "time" in each:
                more["time"] = datetime.datetime.fromisoformat(each["time"])
            values = client.customer_entitlement_v2
            answer = values.get_customer_entitlement_value(*each["arguments"], **more)
        return {"answer": answer.as_dict()}
    except HttpResponseError as error:
        return {"status": error.status_code}


def main():
    given = json.load(sys.stdin)
    json.dump([call(given, each) for each in given["calls"]], sys.stdout)


main()
