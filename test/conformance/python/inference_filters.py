"""Content filters as azure-ai-inference for Python meets them, with both of its chat clients."""

import asyncio
import unittest

from azure.ai.inference import ChatCompletionsClient
from azure.ai.inference.aio import ChatCompletionsClient as AsyncChatCompletionsClient
from azure.ai.inference.models import CompletionsFinishReason, SystemMessage, UserMessage
from azure.core.credentials import AzureKeyCredential
from azure.core.exceptions import HttpResponseError

from surroundings import (
    ASKED_TERM,
    QUESTION,
    SAID_TERM,
    THREAT,
    inference_url,
    join_text,
    key,
    list_seen,
    name_client,
    new_mark,
)

SAFE = {"filtered": False, "severity": "safe"}
HARMS = ("hate", "self_harm", "sexual", "violence")
# More than an answer that goes out at once may be ahead of its filter.
LONG = f"{SAID_TERM} and on {'and on ' * 400}"


def listed(name: str, filtered: bool) -> dict:
    """What annotations say of a list that has a term of the text."""
    return {"filtered": filtered, "details": [{"id": name, "filtered": filtered}]}


class FilterChecks:
    def complete(self, **options):
        """The answer, or the list of its updates."""
        raise NotImplementedError

    def chat(self, model: str, text: str, **options):
        messages = [SystemMessage(content="You are a helpful assistant."), UserMessage(content=text)]
        return self.complete(model=model, messages=messages, **options)

    def refusal(self, *call, **options) -> HttpResponseError:
        with self.assertRaises(HttpResponseError) as caught:
            self.chat(*call, **options)
        return caught.exception

    def test_prompt_is_kept_back(self):
        for stream in (False, True):
            mark = new_mark()
            refused = self.refusal("Filter-Blocking", f"{mark} {ASKED_TERM}", stream=stream)
            self.assertEqual((refused.status_code, refused.error.code), (400, "content_filter"))
            self.assertIn("content management policy", refused.message)
            self.assertEqual(list_seen(mark), [])

    def test_why_a_prompt_is_kept_back(self):
        # The client drops what its own model of an error has no field for. The body has it.
        body = self.refusal("filter-blocking", ASKED_TERM).response.json()
        results = body["error"]["innererror"]["content_filter_result"]
        self.assertEqual(results["custom_blocklists"], listed("asked-terms", True))
        self.assertEqual([results[harm] for harm in HARMS], [SAFE] * 4)
        self.assertEqual((body["code"], body["status"], body["param"]), ("content_filter", 400, "messages"))

    def test_default_policy_keeps_a_threat_back(self):
        refused = self.refusal("relay-chat", THREAT)
        self.assertEqual(refused.error.code, "content_filter")
        results = refused.response.json()["error"]["innererror"]["content_filter_result"]
        self.assertEqual(results["violence"], {"filtered": True, "severity": "high"})

    def test_annotations(self):
        answer = self.chat("filter-annotating", f"{ASKED_TERM} {SAID_TERM}")
        self.assertEqual(answer.choices[0].message.content, f"Echo: {ASKED_TERM} {SAID_TERM}")
        self.assertEqual(answer.choices[0].finish_reason, CompletionsFinishReason.STOPPED)
        # The models of this client are dictionaries too.
        [prompt] = answer["prompt_filter_results"]
        self.assertEqual(prompt["content_filter_results"]["custom_blocklists"], listed("asked-terms", False))
        results = answer.choices[0]["content_filter_results"]
        self.assertEqual(results["custom_blocklists"], listed("said-terms", False))
        self.assertEqual([results[harm] for harm in HARMS], [SAFE] * 4)

    def test_answer_is_kept_back(self):
        for model, text, category in (("filter-blocking", SAID_TERM, "custom_blocklists"), ("filter-answers", THREAT, "violence")):
            [choice] = self.chat(model, text).choices
            self.assertEqual(choice.finish_reason, CompletionsFinishReason.CONTENT_FILTERED)
            self.assertIsNone(choice.message.content)
            self.assertTrue(choice["content_filter_results"][category]["filtered"])

    def test_streamed_answer_is_kept_back(self):
        updates = self.chat("filter-blocking", f"before {SAID_TERM} after", stream=True)
        self.assertEqual(join_text(updates), "Echo: before ")
        last = updates[-1].choices[0]
        self.assertEqual(last.finish_reason, CompletionsFinishReason.CONTENT_FILTERED)
        self.assertEqual(last["content_filter_results"]["custom_blocklists"], listed("said-terms", True))

    def test_every_piece_of_a_stream_is_annotated(self):
        # The client leaves out what has no choices, and with it the annotations of the prompt.
        updates = self.chat("filter-annotating", QUESTION, stream=True)
        self.assertTrue(all(update.choices for update in updates))
        self.assertEqual(join_text(updates), f"Echo: {QUESTION}")
        pieces = [update.choices[0] for update in updates if update.choices[0].delta.content]
        self.assertTrue(all(piece["content_filter_results"]["hate"] == SAFE for piece in pieces))
        self.assertEqual(updates[-1].choices[0].finish_reason, CompletionsFinishReason.STOPPED)
        self.assertEqual(updates[-1].usage.total_tokens, 12)

    def test_asynchronous_filter(self):
        updates = self.chat("filter-asynchronous", "an ordinary text", stream=True)
        self.assertEqual(join_text(updates), "Echo: an ordinary text")
        notes = [update.choices[0] for update in updates if update.choices and "content_filter_offsets" in update.choices[0]]
        self.assertEqual(notes[-1]["content_filter_results"]["hate"], SAFE)
        self.assertEqual({note.delta.content for note in notes}, {""})

    def test_asynchronous_filter_stops_an_answer(self):
        updates = self.chat("filter-asynchronous", LONG, stream=True)
        self.assertEqual(updates[-1].choices[0].finish_reason, CompletionsFinishReason.CONTENT_FILTERED)
        self.assertLess(len(join_text(updates)), len(SAID_TERM) + 1000)

    def test_annotations_in_the_shape_of_azure_have_no_delta(self):
        """The client gives None for the delta; whoever reads on has to look first."""
        updates = self.chat("filter-strict", "an ordinary text", stream=True)
        choices = [update.choices[0] for update in updates if update.choices]
        notes = [choice for choice in choices if "content_filter_offsets" in choice]
        self.assertTrue(notes)
        self.assertEqual({choice.delta for choice in notes}, {None})
        text = "".join(choice.delta.content or "" for choice in choices if choice.delta)
        self.assertEqual(text, "Echo: an ordinary text")

    def test_policy_of_one_call(self):
        header = {"headers": {"x-policy-id": "blocking"}}
        self.assertEqual(self.chat("filter-off", ASKED_TERM).choices[0].message.content, f"Echo: {ASKED_TERM}")
        self.assertEqual(self.refusal("filter-off", ASKED_TERM, **header).error.code, "content_filter")
        refused = self.refusal("filter-off", "hi", headers={"x-policy-id": "nothing-like-it"})
        self.assertEqual((refused.status_code, refused.error.code), (400, "InvalidContentFilterPolicy"))


class InferenceFilters(FilterChecks, unittest.TestCase):
    client = name_client("azure-ai-inference", "filters")

    def complete(self, **options):
        with ChatCompletionsClient(endpoint=inference_url, credential=AzureKeyCredential(key)) as chat:
            answer = chat.complete(**options)
            return list(answer) if options.get("stream") else answer


class AsyncInferenceFilters(FilterChecks, unittest.TestCase):
    client = name_client("azure-ai-inference", "filters async")

    def complete(self, **options):
        async def run():
            async with AsyncChatCompletionsClient(endpoint=inference_url, credential=AzureKeyCredential(key)) as chat:
                answer = await chat.complete(**options)
                return [update async for update in answer] if options.get("stream") else answer

        return asyncio.run(run())
