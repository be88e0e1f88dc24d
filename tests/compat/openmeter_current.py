"""Asks as OpenMeter's current client does: {"url", "token", "calls"} in, what came of each out."""

import datetime
import json
import operator
import sys

import openmeter
from corehttp.exceptions import HttpResponseError

INSTANTS = ["time", "from_parameter", "to"]


def plain(answer):
    if isinstance(answer, list):
        return [plain(each) for each in answer]
    return answer.as_dict() if hasattr(answer, "as_dict") else answer


def call(given, each):
    client = openmeter.Client(endpoint=given["url"], token=each.get("key", given["token"]))
    more = dict(each.get("more", {}))
    for name in INSTANTS:
        if name in more:
            more[name] = datetime.datetime.fromisoformat(more[name])
    operation = operator.attrgetter(each["operation"])(client)
    try:
        return {"answer": plain(operation(*each.get("arguments", []), **more))}
    except HttpResponseError as error:
        return {"status": error.status_code}


def main():
    given = json.load(sys.stdin)
    json.dump([call(given, each) for each in given["calls"]], sys.stdout)


main()
