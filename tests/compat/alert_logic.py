"""Asks as Alert Logic's SDK does. Reads {"url", "token", "calls"}, prints what came of each call."""

import json
import sys
import tempfile

import requests
from almdrlib.session import AuthenticationException, Session


def call(given, each):
    try:
        session = Session(
            access_key_id="of-the-tests",
            secret_key=each.get("secret", given["token"]),
            aims_token=each.get("aims_token"),
            account_id=each.get("account"),
            global_endpoint=given["url"],
        )
        client = session.client("subscriptions")
        answer = getattr(client, each["operation"])(**each.get("arguments", {}))
        return {"answer": answer.json(), "session_account": session.account_id}
    except AuthenticationException:
        return {"refused": 401}
    except requests.exceptions.HTTPError as error:
        return {"refused": error.response.status_code, "body": error.response.text}


def main():
    given = json.load(sys.stdin)
    json.dump([call(given, each) for each in given["calls"]], sys.stdout)


main()
