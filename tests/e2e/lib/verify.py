"""Checks messages with the reference library of Standard Webhooks for Python.

Reads a JSON list of {secret, headers, body} and writes a JSON list: true where the library accepts the message.
"""

import json
import sys

from standardwebhooks import Webhook, WebhookVerificationError


def accepts(message):
    try:
        Webhook(message["secret"]).verify(message["body"], message["headers"])
        return True
    except WebhookVerificationError:
        return False


json.dump([accepts(message) for message in json.load(sys.stdin)], sys.stdout)
