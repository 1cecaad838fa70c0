"""azure-ai-inference for Python: the snippet a user pastes first, and its usual changes."""

import os
import unittest

from azure.ai.inference import ChatCompletionsClient
from azure.ai.inference.models import SystemMessage, UserMessage
from azure.core.credentials import AzureKeyCredential

from surroundings import join_text, name_client


class SnippetChecks(unittest.TestCase):
    client = name_client("azure-ai-inference", "snippet")

    def complete(self, **changes):
        client = ChatCompletionsClient(
            endpoint=os.environ["AZUREAI_ENDPOINT_URL"],
            credential=AzureKeyCredential(os.environ["AZUREAI_ENDPOINT_KEY"]),
        )
        self.addCleanup(client.close)
        messages = [
            SystemMessage("You are a helpful assistant."),
            UserMessage("Explain Riemann's conjecture in 1 paragraph"),
        ]
        return client.complete(**{"messages": messages, "model": "mistral-large", **changes})

    def test_as_it_is(self):
        self.assertGreater(len(self.complete().choices[0].message.content), 20)

    def test_in_upper_case(self):
        self.assertGreater(len(self.complete(model="MISTRAL-LARGE").choices[0].message.content), 20)

    def test_streamed(self):
        self.assertGreater(len(join_text(list(self.complete(stream=True)))), 20)
