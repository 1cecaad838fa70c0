"""What the checks know of the server they run against: what `ponto env` says, and the upstream's own memory."""

import json
import os
import uuid
from importlib.metadata import version
from urllib.request import urlopen

inference_url = os.environ["AZUREAI_ENDPOINT_URL"]
root_url = os.environ["AZURE_OPENAI_ENDPOINT"]
v1_url = f"{root_url}/openai/v1/"
key = os.environ["AZUREAI_ENDPOINT_KEY"]

_upstream_url = os.environ["CONFORMANCE_UPSTREAM"]

QUESTION = "Grüße an 世界 👋, wie geht es?"
RIEMANN = "Explain Riemann's conjecture in 1 paragraph"
# Deployments of each kind of upstream that answers well, and under filters that annotate.
MODELS = (
    "Relay-Chat",
    "RELAY-CHAT",
    "relay-azure",
    "relay-foundry",
    "relay-untidy",
    "filter-annotating",
    "filter-asynchronous",
)
VECTORS = [[3, 0, 0.25, -1.5], [5, 1, 0.25, -1.5]]
# Milliseconds that the upstream asks a limited caller to wait.
RETRY_AFTER_MS = int(os.environ["CONFORMANCE_RETRY_AFTER_MS"])
# Words that filters of the server look for: in prompts alone, in answers alone, and without any list.
ASKED_TERM = os.environ["CONFORMANCE_ASKED_TERM"]
SAID_TERM = os.environ["CONFORMANCE_SAID_TERM"]
THREAT = os.environ["CONFORMANCE_THREAT"]
# Ways to manage the server: its own credential, a service principal, a token of an issuer that it trusts; and a key, which is none.
MANAGEMENT = {
    "credential": os.environ["CONFORMANCE_MANAGEMENT_CREDENTIAL"],
    "tenant_id": os.environ.get("CONFORMANCE_TENANT_ID"),
    "client_id": os.environ.get("CONFORMANCE_CLIENT_ID"),
    "client_secret": os.environ.get("CONFORMANCE_CLIENT_SECRET"),
    "issuer_token": os.environ.get("CONFORMANCE_ISSUER_TOKEN"),
    "key": key,
}

WEATHER = {
    "name": "get_weather",
    "description": "The weather in a city",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}


def name_client(package: str, title: str) -> str:
    """A client's name and version as the report shows them."""
    return f"{package} {title} {version(package)}"


def new_mark() -> str:
    """A text that finds a check's own requests again at the upstream."""
    return f"mark-{uuid.uuid4()}"


def list_seen(mark: str) -> list[dict]:
    """The requests that reached the upstream with this mark, once all of them are over."""
    with urlopen(f"{_upstream_url}/seen/{mark}", timeout=30) as response:
        return json.load(response)


def release(mark: str) -> None:
    """Lets the gated answer to the request with this mark go on."""
    urlopen(f"{_upstream_url}/release/{mark}", timeout=30).close()


def user(content: str) -> dict:
    return {"role": "user", "content": content}


def join_text(chunks: list) -> str:
    """The text of a chat stream's chunks."""
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
