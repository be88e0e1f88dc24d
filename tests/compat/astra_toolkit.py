"""Asks as Astra's toolkit does. Reads {"url", "token", "calls"}, prints what came of each call."""

import contextlib
import io
import json
import sys

import requests
from astraSDK.entitlements import getEntitlements


def call(given, each):
    session = requests.Session()
    session.headers["Authorization"] = "Bearer " + each.get("key", given["token"])
    account = each["account"]
    base = f"{given['url']}/accounts/{account}/"
    config = {"base": base, "session": session, "domain": "127.0.0.1", "account_id": account}
    said = io.StringIO()
    with contextlib.redirect_stderr(said), contextlib.redirect_stdout(io.StringIO()):
        output = each.get("output", "json")
        answer = getEntitlements(quiet=False, output=output, config=config).main()
    return {"answer": answer, "said": said.getvalue()}


def main():
    given = json.load(sys.stdin)
    json.dump([call(given, each) for each in given["calls"]], sys.stdout)


main()
