"""azure-ai-inference for Python, EmbeddingsClient, sync and async."""

import base64
import struct
import unittest

from azure.ai.inference import EmbeddingsClient
from azure.ai.inference.aio import EmbeddingsClient as AsyncEmbeddingsClient
from azure.core.credentials import AzureKeyCredential
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError

from surroundings import VECTORS, inference_url, key, name_client


def open_client(secret: str = key) -> EmbeddingsClient:
    return EmbeddingsClient(endpoint=inference_url, credential=AzureKeyCredential(secret))


class EmbeddingsChecks(unittest.TestCase):
    client = name_client("azure-ai-inference", "embeddings")

    def setUp(self):
        self.embeddings = open_client()
        self.addCleanup(self.embeddings.close)

    def check_vectors(self, model: str):
        answer = self.embeddings.embed(input=["one", "three"], model=model)
        self.assertEqual([item.embedding for item in answer.data], VECTORS)
        self.assertEqual([item.index for item in answer.data], [0, 1])
        self.assertEqual(answer.usage.prompt_tokens, 7)

    def test_floats(self):
        self.check_vectors("Relay-Chat")

    def test_floats_in_upper_case(self):
        self.check_vectors("RELAY-CHAT")

    def test_floats_from_foundry(self):
        self.check_vectors("relay-foundry")

    def test_base64_from_an_upstream_that_only_has_floats(self):
        answer = self.embeddings.embed(input=["one"], model="relay-floats", encoding_format="base64")
        vector = struct.unpack("<4f", base64.b64decode(answer.data[0].embedding))
        self.assertEqual(list(vector), VECTORS[0])

    def test_encoding_that_no_model_here_can_give(self):
        with self.assertRaises(HttpResponseError) as caught:
            self.embeddings.embed(input=["one"], model="relay-chat", encoding_format="int8")
        self.assertEqual(caught.exception.status_code, 422)
        self.assertEqual(caught.exception.error.code, "parameter_not_supported")

    def test_wrong_key(self):
        with open_client("wrong") as embeddings, self.assertRaises(ClientAuthenticationError):
            embeddings.embed(input=["one"], model="relay-chat")

    def test_unknown_model(self):
        with self.assertRaises(HttpResponseError) as caught:
            self.embeddings.embed(input=["one"], model="nothing-like-it")
        self.assertEqual((caught.exception.status_code, caught.exception.error.code), (400, "unknown_model"))

    def test_built_in_model(self):
        answer = self.embeddings.embed(input=["The cat sleeps.", "Taxes are due."], model="MISTRAL-LARGE")
        first, second = (item.embedding for item in answer.data)
        self.assertEqual(len(first), len(second))
        self.assertNotEqual(first, second)
        self.assertGreater(answer.usage.prompt_tokens, 0)


class AsyncEmbeddingsChecks(unittest.IsolatedAsyncioTestCase):
    client = name_client("azure-ai-inference", "embeddings async")

    async def test_floats(self):
        async with AsyncEmbeddingsClient(endpoint=inference_url, credential=AzureKeyCredential(key)) as embeddings:
            answer = await embeddings.embed(input=["one", "three"], model="RELAY-CHAT")
        self.assertEqual([item.embedding for item in answer.data], VECTORS)

    async def test_wrong_key(self):
        async with AsyncEmbeddingsClient(endpoint=inference_url, credential=AzureKeyCredential("no")) as embeddings:
            with self.assertRaises(ClientAuthenticationError):
                await embeddings.embed(input=["one"], model="relay-chat")
