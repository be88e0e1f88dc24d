"""Asks as Meraki's own client does. Reads {"url", "token", "calls"}, prints what came of each call."""

import json
import sys

import meraki


def call(dashboard, given):
    section = getattr(dashboard, given.get("section", "licensing"))
    try:
        operation = getattr(section, given["operation"])
        return {"answer": operation(**given.get("arguments", {}))}
    except meraki.APIError as error:
        return {"status": error.status, "error": error.message}


def main():
    given = json.load(sys.stdin)
    results = []
    for each in given["calls"]:
        dashboard = meraki.DashboardAPI(
            each.get("key", given["token"]),
            base_url=given["url"] + "/api/v1",
            suppress_logging=True,
            output_log=False,
            maximum_retries=1,
        )
        results.append(call(dashboard, each))
    json.dump(results, sys.stdout)


main()
