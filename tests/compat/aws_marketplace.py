"""Asks as boto3 does. Reads {"url", "token", "calls"}, prints what came of each call."""

import json
import sys

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError


def plain(value):
    """Dates as seconds, as they stand on the wire."""
    if hasattr(value, "timestamp"):
        return value.timestamp()
    raise TypeError(type(value))


def call(client, given):
    kind = given.get("kind", "call")
    try:
        if kind == "pages":
            pages = client.get_paginator("get_entitlements").paginate(**given["arguments"])
            return {"pages": [page["Entitlements"] for page in pages]}
        answer = client.get_entitlements(**given["arguments"])
        answer.pop("ResponseMetadata")
        return {"answer": answer}
    except client.exceptions.InvalidParameterException as error:
        return {"invalid": error.response["Error"]}
    except ClientError as error:
        return {"error": type(error).__name__, **error.response["Error"]}


def main():
    given = json.load(sys.stdin)
    results = []
    for each in given["calls"]:
        client = boto3.client(
            "marketplace-entitlement",
            region_name="us-east-1",
            endpoint_url=given["url"],
            aws_access_key_id=each.get("key", given["token"]),
            aws_secret_access_key="anything",
            config=Config(parameter_validation=False, retries={"total_max_attempts": 1}),
        )
        results.append(call(client, each))
    json.dump(results, sys.stdout, default=plain)


main()
