"""Content filters as openai for Python meets them, with all four of its clients."""

import asyncio
import unittest

from openai import AsyncAzureOpenAI, AsyncOpenAI, AzureOpenAI, BadRequestError, ContentFilterFinishReasonError, OpenAI
from pydantic import BaseModel

from surroundings import (
    ASKED_TERM,
    SAID_TERM,
    THREAT,
    join_text,
    key,
    list_seen,
    name_client,
    new_mark,
    root_url,
    user,
    v1_url,
)

SAFE = {"filtered": False, "severity": "safe"}
HARMS = ("hate", "self_harm", "sexual", "violence")
# More than an answer that goes out at once may be ahead of its filter.
LONG = f"{SAID_TERM} and on {'and on ' * 400}"


def listed(name: str, filtered: bool) -> dict:
    """What annotations say of a list that has a term of the text."""
    return {"filtered": filtered, "details": [{"id": name, "filtered": filtered}]}


def results_of(choice) -> dict:
    """The annotations of a choice, for which the client has no field of its own."""
    return choice.model_extra["content_filter_results"]


class FilterChecks:
    def open(self, **options):
        raise NotImplementedError

    def call(self, create, **options):
        """Calls what `create` picks of a client: the answer, or the list of its chunks."""
        with self.open() as openai:
            answer = create(openai)(**options)
            return list(answer) if options.get("stream") else answer

    def chat(self, model: str, text: str, **options):
        return self.call(lambda openai: openai.chat.completions.create, model=model, messages=[user(text)], **options)

    def complete(self, model: str, text: str, **options):
        return self.call(lambda openai: openai.completions.create, model=model, prompt=text, **options)

    def refusal(self, *call, ask=None, **options):
        with self.assertRaises(BadRequestError) as caught:
            (ask or self.chat)(*call, **options)
        return caught.exception

    def test_prompt_is_kept_back(self):
        for stream in (False, True):
            mark = new_mark()
            error = self.refusal("Filter-Blocking", f"{mark} {ASKED_TERM}", stream=stream)
            self.assertEqual((error.status_code, error.code, error.param), (400, "content_filter", "prompt"))
            self.assertIn("content management policy", error.message)
            inner = error.body["innererror"]
            self.assertEqual(inner["code"], "ResponsibleAIPolicyViolation")
            results = inner["content_filter_result"]
            self.assertEqual(results["custom_blocklists"], listed("asked-terms", True))
            self.assertEqual([results[harm] for harm in HARMS], [SAFE] * 4)
            self.assertEqual(error.body["inner_error"]["content_filter_results"], results)
            self.assertEqual(list_seen(mark), [])

    def test_default_policy_keeps_a_threat_back(self):
        error = self.refusal("relay-chat", THREAT)
        results = error.body["innererror"]["content_filter_result"]
        self.assertEqual(results["violence"], {"filtered": True, "severity": "high"})
        self.assertEqual([results[harm] for harm in HARMS if harm != "violence"], [SAFE] * 3)

    def test_annotations(self):
        answer = self.chat("filter-annotating", f"{ASKED_TERM} {SAID_TERM}")
        [prompt] = answer.model_extra["prompt_filter_results"]
        self.assertEqual(prompt["prompt_index"], 0)
        self.assertEqual(prompt["content_filter_results"]["custom_blocklists"], listed("asked-terms", False))
        self.assertEqual(prompt["content_filter_results"]["jailbreak"], {"filtered": False, "detected": False})
        [choice] = answer.choices
        self.assertEqual(choice.content_filter_results["custom_blocklists"], listed("said-terms", False))
        self.assertEqual([results_of(choice)[harm] for harm in HARMS], [SAFE] * 4)
        self.assertEqual((choice.finish_reason, choice.message.content), ("stop", f"Echo: {ASKED_TERM} {SAID_TERM}"))

    def test_severity_of_what_is_only_annotated(self):
        answer = self.chat("filter-annotating", THREAT)
        self.assertEqual(answer.choices[0].message.content, f"Echo: {THREAT}")
        self.assertEqual(results_of(answer.choices[0])["violence"], {"filtered": False, "severity": "high"})

    def test_answer_is_kept_back(self):
        for model, text, category in (("filter-blocking", SAID_TERM, "custom_blocklists"), ("filter-answers", THREAT, "violence")):
            [choice] = self.chat(model, text).choices
            self.assertEqual((choice.finish_reason, choice.message.content), ("content_filter", None))
            self.assertTrue(results_of(choice)[category]["filtered"])

    def test_streamed_answer_is_kept_back(self):
        chunks = self.chat("filter-blocking", f"before {SAID_TERM} after", stream=True)
        self.assertEqual(join_text(chunks), "Echo: before ")
        last = chunks[-1].choices[0]
        self.assertEqual(last.finish_reason, "content_filter")
        self.assertEqual(results_of(last)["custom_blocklists"], listed("said-terms", True))

    def test_one_of_two_answers_is_kept_back(self):
        text = f"before {SAID_TERM} after"
        good, bad = self.chat("filter-two", text, n=2).choices
        self.assertEqual((good.finish_reason, good.message.content), ("stop", "Echo: fine"))
        self.assertEqual((bad.finish_reason, bad.message.content), ("content_filter", None))
        self.assertFalse(results_of(good)["custom_blocklists"]["filtered"])
        texts, reasons = ["", ""], [None, None]
        for chunk in self.chat("filter-two", text, n=2, stream=True):
            for choice in chunk.choices:
                texts[choice.index] += choice.delta.content or ""
                reasons[choice.index] = choice.finish_reason or reasons[choice.index]
        self.assertEqual((texts, reasons), (["Echo: fine", "Echo: before "], ["stop", "content_filter"]))

    def test_every_piece_of_a_stream_is_annotated(self):
        first, *chunks = self.chat("filter-annotating", f"{ASKED_TERM} {SAID_TERM} after", stream=True)
        [prompt] = first.model_extra["prompt_filter_results"]
        self.assertEqual(prompt["content_filter_results"]["custom_blocklists"], listed("asked-terms", False))
        self.assertEqual(first.choices, [])
        self.assertEqual(join_text(chunks), f"Echo: {ASKED_TERM} {SAID_TERM} after")
        pieces = [chunk.choices[0] for chunk in chunks if chunk.choices and chunk.choices[0].delta.content]
        self.assertTrue(all(results_of(piece)["hate"] == SAFE for piece in pieces))
        self.assertEqual(results_of(pieces[-1])["custom_blocklists"], listed("said-terms", False))

    def test_asynchronous_filter(self):
        chunks = self.chat("filter-asynchronous", "an ordinary text", stream=True)
        self.assertEqual(join_text(chunks), "Echo: an ordinary text")
        choices = [chunk.choices[0] for chunk in chunks if chunk.choices]
        self.assertTrue(all(choice.delta is not None for choice in choices))
        notes = [choice for choice in choices if "content_filter_offsets" in choice.model_extra]
        self.assertEqual(results_of(notes[-1])["hate"], SAFE)
        offsets = notes[-1].model_extra["content_filter_offsets"]
        self.assertEqual(offsets["check_offset"], offsets["end_offset"])
        self.assertTrue(all("content_filter_results" not in choice.model_extra for choice in choices if choice.delta.content))

    def test_asynchronous_filter_stops_an_answer(self):
        chunks = self.chat("filter-asynchronous", LONG, stream=True)
        last = chunks[-1].choices[0]
        self.assertEqual(last.finish_reason, "content_filter")
        self.assertEqual(results_of(last)["custom_blocklists"], listed("said-terms", True))
        self.assertLess(len(join_text(chunks)), len(SAID_TERM) + 1000)

    def test_annotations_in_the_shape_of_azure_have_no_delta(self):
        """The client makes such choices all the same; whoever reads their delta has to look first."""
        chunks = self.chat("filter-strict", "an ordinary text", stream=True)
        choices = [chunk.choices[0] for chunk in chunks if chunk.choices]
        notes = [choice for choice in choices if "content_filter_offsets" in choice.model_extra]
        self.assertTrue(notes)
        self.assertEqual({choice.delta for choice in notes}, {None})
        text = "".join(choice.delta.content or "" for choice in choices if choice.delta)
        self.assertEqual(text, "Echo: an ordinary text")

    def test_completions(self):
        error = self.refusal("filter-blocking", ASKED_TERM, ask=self.complete)
        self.assertEqual(error.code, "content_filter")
        answer = self.complete("filter-blocking", f"before {SAID_TERM}")
        self.assertEqual((answer.choices[0].finish_reason, answer.choices[0].text), ("content_filter", ""))
        self.assertEqual(results_of(answer.choices[0])["custom_blocklists"], listed("said-terms", True))
        self.assertEqual(len(answer.model_extra["prompt_filter_results"]), 1)
        answer = self.complete("filter-annotating", SAID_TERM)
        self.assertEqual(answer.choices[0].text, f"Echo: {SAID_TERM}")

    def test_completions_streamed(self):
        chunks = self.complete("filter-blocking", f"before {SAID_TERM} after", stream=True)
        choices = [chunk.choices[0] for chunk in chunks if chunk.choices]
        self.assertEqual("".join(choice.text for choice in choices), "Echo: before ")
        self.assertEqual(choices[-1].finish_reason, "content_filter")

    def test_policy_of_one_call(self):
        header = {"extra_headers": {"x-policy-id": "BLOCKING"}}
        self.assertEqual(self.chat("filter-off", ASKED_TERM).choices[0].message.content, f"Echo: {ASKED_TERM}")
        self.assertEqual(self.refusal("filter-off", ASKED_TERM, **header).code, "content_filter")
        choice = self.chat("filter-off", SAID_TERM, **header).choices[0]
        self.assertEqual(choice.finish_reason, "content_filter")
        for name in ("nothing-like-it", "locked", "Microsoft.Nil"):
            error = self.refusal("relay-chat", "hi", extra_headers={"x-policy-id": name})
            self.assertEqual(error.code, "InvalidContentFilterPolicy")

    def test_no_filter_no_annotations(self):
        answer = self.chat("filter-off", THREAT)
        self.assertEqual(answer.choices[0].message.content, f"Echo: {THREAT}")
        self.assertNotIn("prompt_filter_results", answer.model_extra or {})
        self.assertNotIn("content_filter_results", answer.choices[0].model_extra or {})
        chunks = self.chat("filter-off", THREAT, stream=True)
        self.assertEqual(join_text(chunks), f"Echo: {THREAT}")
        self.assertTrue(all(chunk.choices and chunk.object == "chat.completion.chunk" for chunk in chunks))

    def test_the_answer_says_what_judged(self):
        with_headers = lambda openai: openai.chat.completions.with_raw_response.create
        answer = self.call(with_headers, model="relay-chat", messages=[user("hi")])
        self.assertRegex(answer.headers["x-content-filter-engine"], r'^builtin/\d+;lexical="protected_material_code protected_material_text"$')

    def test_moderations_without_a_deployment(self):
        moderate = lambda openai: openai.moderations.create
        answer = self.call(moderate, input=["What a lovely day.", THREAT])
        lovely, threat = answer.results
        self.assertFalse(lovely.flagged)
        self.assertTrue(threat.flagged)
        self.assertTrue(threat.categories.violence)
        self.assertGreater(threat.category_scores.violence, lovely.category_scores.violence)
        self.assertEqual(threat.category_applied_input_types.violence, ["text"])
        [result] = self.call(moderate, input=THREAT, model="omni-moderation-latest").results
        self.assertTrue(result.flagged)


class Weather(BaseModel):
    degrees: int


class SyncFilterChecks(FilterChecks):
    def test_stream_helper(self):
        create = lambda openai: openai.chat.completions.stream
        for model in ("filter-annotating", "filter-asynchronous"):
            with self.open() as openai, create(openai)(model=model, messages=[user("an ordinary text")]) as stream:
                choice = stream.get_final_completion().choices[0]
            self.assertEqual((choice.finish_reason, choice.message.content), ("stop", "Echo: an ordinary text"))
        messages = [user(f"before {SAID_TERM} after")]
        with self.open() as openai, create(openai)(model="filter-blocking", messages=messages) as stream:
            self.assertEqual("".join(event.delta for event in stream if event.type == "content.delta"), "Echo: before ")
            with self.assertRaises(ContentFilterFinishReasonError) as caught:
                stream.get_final_completion()
        self.assertEqual(caught.exception.completion.choices[0].finish_reason, "content_filter")

    def test_parsing_an_answer_that_is_kept_back(self):
        with self.open() as openai, self.assertRaises(ContentFilterFinishReasonError):
            message = [user(SAID_TERM)]
            openai.chat.completions.parse(model="filter-blocking", messages=message, response_format=Weather)


class AsyncFilterChecks(FilterChecks):
    def call(self, create, **options):
        async def run():
            async with self.open() as openai:
                answer = await create(openai)(**options)
                return [chunk async for chunk in answer] if options.get("stream") else answer

        return asyncio.run(run())


v1 = {"base_url": v1_url, "api_key": key}
azure = {"azure_endpoint": root_url, "api_version": "2024-10-21", "api_key": key}


class OpenAIFilters(SyncFilterChecks, unittest.TestCase):
    client = name_client("openai", "OpenAI filters")

    def open(self):
        return OpenAI(**v1)


class AzureOpenAIFilters(SyncFilterChecks, unittest.TestCase):
    client = name_client("openai", "AzureOpenAI filters")

    def open(self):
        return AzureOpenAI(**azure)


class AsyncOpenAIFilters(AsyncFilterChecks, unittest.TestCase):
    client = name_client("openai", "AsyncOpenAI filters")

    def open(self):
        return AsyncOpenAI(**v1)


class AsyncAzureOpenAIFilters(AsyncFilterChecks, unittest.TestCase):
    client = name_client("openai", "AsyncAzureOpenAI filters")

    def open(self):
        return AsyncAzureOpenAI(**azure)
