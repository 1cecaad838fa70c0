"""Limits, spillover and pauses of deployments, as openai and azure-ai-inference for Python meet them."""

import unittest

from azure.ai.inference import ChatCompletionsClient
from azure.ai.inference.models import UserMessage
from azure.core.credentials import AzureKeyCredential
from azure.core.exceptions import HttpResponseError
from openai import APIStatusError, AzureOpenAI, BadRequestError, OpenAI, RateLimitError

from surroundings import QUESTION, inference_url, key, name_client, root_url, user, v1_url


class OpenAIChecks:
    def open(self, **options):
        raise NotImplementedError

    def ask(self, model, raw=False, retries=0, **options):
        client = self.open(max_retries=retries)
        self.addCleanup(client.close)
        completions = client.chat.completions
        create = completions.with_raw_response.create if raw else completions.create
        return create(model=model, messages=[user(QUESTION)], **{"max_tokens": 5, **options})

    def test_refused_call_is_repeated_in_time(self):
        for _ in range(3):
            self.assertTrue(self.ask("paced-PY", retries=4).choices)

    def test_refusal_says_when_to_come_back(self):
        with self.assertRaises(RateLimitError) as caught:
            for _ in range(3):
                self.ask("paced-py")
        headers = caught.exception.response.headers
        self.assertLessEqual(int(headers["retry-after-ms"]), 1000)
        self.assertEqual((headers["x-ratelimit-limit-requests"], headers["x-ratelimit-remaining-requests"]), ("60", "0"))
        self.assertIn("call rate limit", caught.exception.message)
        self.assertIn("Paced-py", caught.exception.message)

    def test_what_never_fits_is_not_repeated(self):
        with self.assertRaises(BadRequestError) as caught:
            self.ask("narrow-py", retries=4, max_tokens=1000)
        self.assertEqual(caught.exception.code, "RequestExceedsCapacity")
        self.assertIn("100 tokens", caught.exception.message)

    def test_spillover(self):
        for _ in range(2):
            answer = self.ask("spilling-py", raw=True)
        self.assertEqual(answer.headers["x-ms-spillover-from-deployment"], "Spilling-py")
        self.assertEqual(answer.headers["x-ms-deployment-name"], "Relay-Chat")
        self.assertTrue(answer.parse().choices)

    def test_spillover_of_a_stream(self):
        for _ in range(2):
            chunks = list(self.ask("spilling-py", stream=True))
        self.assertTrue(any(chunk.choices and chunk.choices[0].delta.content for chunk in chunks))

    def test_spillover_by_header(self):
        options = {"extra_headers": {"x-ms-spillover-deployment": "relay-CHAT"}}
        for _ in range(2):
            answer = self.ask("full-py", raw=True, **options)
        self.assertEqual(answer.headers["x-ms-spillover-from-deployment"], "Full-py")

    def test_full_capacity(self):
        with self.assertRaises(RateLimitError) as caught:
            for _ in range(2):
                self.ask("full-py")
        headers = caught.exception.response.headers
        self.assertGreater(float(headers["azure-openai-deployment-utilization"].rstrip("%")), 100)
        self.assertGreater(int(headers["retry-after-ms"]), 0)

    def test_paused_deployment(self):
        with self.assertRaises(APIStatusError) as caught:
            self.ask("paused-py", retries=4)
        self.assertEqual(caught.exception.status_code, 423)


class OpenAILimits(OpenAIChecks, unittest.TestCase):
    client = name_client("openai", "OpenAI limits")

    def open(self, **options):
        return OpenAI(base_url=v1_url, api_key=key, **options)


class AzureOpenAILimits(OpenAIChecks, unittest.TestCase):
    client = name_client("openai", "AzureOpenAI limits")

    def open(self, **options):
        return AzureOpenAI(azure_endpoint=root_url, api_key=key, api_version="2024-10-21", **options)


class InferenceLimits(unittest.TestCase):
    client = name_client("azure-ai-inference", "limits")

    def ask(self, model, **options):
        seen = {}
        client = ChatCompletionsClient(
            endpoint=inference_url,
            credential=AzureKeyCredential(key),
            raw_response_hook=lambda answer: seen.update(answer.http_response.headers),
            **options,
        )
        with client:
            answer = client.complete(model=model, messages=[UserMessage(content=QUESTION)], max_tokens=5)
        return answer, {name.lower(): value for name, value in seen.items()}

    def test_refused_call_is_repeated_in_time(self):
        for _ in range(3):
            answer, headers = self.ask("paced-PY", retry_total=4)
            self.assertTrue(answer.choices)
            self.assertEqual(headers["x-ratelimit-limit-requests"], "60")

    def test_refusal(self):
        with self.assertRaises(HttpResponseError) as caught:
            for _ in range(3):
                self.ask("paced-py", retry_total=0)
        self.assertEqual(caught.exception.status_code, 429)
        self.assertIn("call rate limit", caught.exception.message)

    def test_spillover(self):
        for _ in range(2):
            answer, headers = self.ask("spilling-py", retry_total=0)
        self.assertTrue(answer.choices)
        self.assertEqual(headers["x-ms-spillover-from-deployment"], "Spilling-py")

    def test_full_capacity(self):
        with self.assertRaises(HttpResponseError) as caught:
            for _ in range(2):
                self.ask("full-py", retry_total=0)
        self.assertEqual(caught.exception.status_code, 429)

    def test_paused_deployment(self):
        with self.assertRaises(HttpResponseError) as caught:
            self.ask("paused-py")
        self.assertEqual(caught.exception.status_code, 423)
