"""openai for Python: the Responses API, with both of its clients. Nothing is kept: a second turn brings the first one along."""

import json
import unittest

from openai import APIError, AzureOpenAI, BadRequestError, NotFoundError, OpenAI
from pydantic import BaseModel

from surroundings import (
    ASKED_TERM,
    QUESTION,
    SAID_TERM,
    WEATHER,
    key,
    list_seen,
    name_client,
    new_mark,
    release,
    root_url,
    user,
    v1_url,
)

# Upstreams that know chats, messages and responses, in any case.
MODELS = ("Relay-Chat", "relay-azure", "RELAY-FOUNDRY", "relay-anthropic", "relay-responses", "filter-annotating")
TOOL = {"type": "function", "strict": False, **WEATHER}


class City(BaseModel):
    name: str
    degrees: int


class ResponsesChecks:
    def open(self, **options):
        raise NotImplementedError

    def setUp(self):
        self.openai = self.open()
        self.addCleanup(self.openai.close)
        self.responses = self.openai.responses

    def ask(self, text=QUESTION, model="relay-chat", **options):
        return self.responses.create(model=model, input=text, **options)

    def test_whole(self):
        for model in MODELS:
            with self.subTest(model):
                answer = self.ask(model=model)
                self.assertEqual((answer.output_text, answer.status, answer.object), (f"Echo: {QUESTION}", "completed", "response"))
                self.assertEqual((answer.usage.input_tokens, answer.usage.output_tokens, answer.usage.total_tokens), (7, 5, 12))
                self.assertEqual(answer.store, False)

    def test_stream(self):
        for model in MODELS:
            with self.subTest(model):
                events = list(self.ask(model=model, stream=True))
                deltas = [event.delta for event in events if event.type == "response.output_text.delta"]
                self.assertEqual("".join(deltas), f"Echo: {QUESTION}")
                self.assertEqual([event.sequence_number for event in events], list(range(len(events))))
                self.assertEqual(events[0].type, "response.created")
                self.assertEqual(events[-1].type, "response.completed")
                self.assertEqual(events[-1].response.output_text, f"Echo: {QUESTION}")
                self.assertEqual(events[-1].response.usage.total_tokens, 12)

    def test_stream_helper(self):
        for model in MODELS:
            with self.subTest(model):
                with self.responses.stream(model=model, input=QUESTION) as stream:
                    snapshots = [event.snapshot for event in stream if event.type == "response.output_text.delta"]
                    final = stream.get_final_response()
                self.assertEqual((snapshots[-1], final.output_text), (f"Echo: {QUESTION}",) * 2)

    def test_stream_is_passed_on_while_the_upstream_writes(self):
        mark = new_mark()
        text = ""
        for event in self.ask(mark, "relay-gated", stream=True):
            if event.type == "response.output_text.delta":
                text += event.delta
                release(mark)
        self.assertEqual(text, f"Echo: {mark}")

    def test_parse(self):
        answer = self.responses.parse(model="relay-literal", input='{"name":"Paris","degrees":21}', text_format=City)
        self.assertEqual(answer.output_parsed, City(name="Paris", degrees=21))

    def test_parse_streamed(self):
        text = '{"name":"Paris","degrees":21}'
        with self.responses.stream(model="relay-literal", input=text, text_format=City) as stream:
            stream.until_done()
            self.assertEqual(stream.get_final_response().output_parsed, City(name="Paris", degrees=21))

    def test_format_and_reasoning_reach_the_upstream(self):
        mark = new_mark()
        self.responses.parse(
            model="relay-literal",
            input=[user(f"{mark}"), user('{"name":"Paris","degrees":21}')],
            instructions="Be brief.",
            text_format=City,
            reasoning={"effort": "low"},
            max_output_tokens=50,
        )
        [seen] = list_seen(mark)
        body = seen["body"]
        self.assertEqual(body["messages"][0], {"role": "system", "content": "Be brief."})
        self.assertEqual((body["reasoning_effort"], body["max_tokens"]), ("low", 50))
        self.assertEqual(body["response_format"]["json_schema"]["strict"], True)

    def test_functions(self):
        for model in ("relay-tools", "relay-responses"):
            with self.subTest(model):
                items = [user("Weather in Paris?")]
                first = self.responses.create(model=model, input=items, tools=[TOOL])
                [call] = first.output
                self.assertEqual((call.type, call.name, json.loads(call.arguments)), ("function_call", "get_weather", {"city": "Paris"}))
                items += first.output
                items.append({"type": "function_call_output", "call_id": call.call_id, "output": "sunny"})
                second = self.responses.create(model=model, input=items, tools=[TOOL])
                self.assertEqual(second.output_text, "Echo: sunny")

    def test_functions_streamed(self):
        for model in ("relay-tools", "relay-responses"):
            with self.subTest(model):
                events = list(self.responses.create(model=model, input="Weather?", tools=[TOOL], stream=True))
                deltas = [event.delta for event in events if event.type == "response.function_call_arguments.delta"]
                self.assertEqual(json.loads("".join(deltas)), {"city": "Paris"})
                [call] = events[-1].response.output
                self.assertEqual((call.name, call.status), ("get_weather", "completed"))

    def test_what_only_a_server_that_keeps_can_do_is_refused(self):
        for field, value in (("previous_response_id", "resp_1"), ("conversation", "conv_1"), ("background", True), ("store", True)):
            with self.subTest(field), self.assertRaises(BadRequestError) as caught:
                self.ask(**{field: value})
            self.assertEqual(caught.exception.param, field)

    def test_tools_that_are_built_in_are_refused_by_name(self):
        with self.assertRaises(BadRequestError) as caught:
            self.ask(tools=[{"type": "web_search"}])
        self.assertIn("web_search", caught.exception.message)

    def test_unknown_deployment(self):
        with self.assertRaises(NotFoundError) as caught:
            self.ask(model="relay-chatt")
        self.assertEqual(caught.exception.code, "DeploymentNotFound")

    def test_stream_that_is_cut_off_is_an_error(self):
        with self.assertRaises(APIError):
            list(self.ask(new_mark(), "relay-cut", stream=True))

    def test_prompt_that_is_kept_back(self):
        for stream in (False, True):
            with self.assertRaises(BadRequestError) as caught:
                self.ask(ASKED_TERM, "filter-blocking", stream=stream)
            self.assertEqual(caught.exception.code, "content_filter")

    def test_answer_that_is_kept_back(self):
        asked = {"model": "filter-blocking", "input": f"before {SAID_TERM} after"}
        with self.responses.stream(**asked) as stream:
            events = list(stream)
        self.assertEqual(events[-1].type, "response.incomplete")
        for answer in (self.responses.create(**asked), events[-1].response):
            self.assertEqual((answer.status, answer.incomplete_details.reason), ("incomplete", "content_filter"))
            self.assertNotIn(SAID_TERM, answer.model_dump_json())

    def test_answers_are_annotated(self):
        filters = self.ask(model="filter-annotating").model_extra["content_filters"]
        self.assertEqual([entry["source_type"] for entry in filters], ["prompt", "completion"])

    def test_built_in_model_says_the_same_whole_and_streamed(self):
        options = {"model": "mistral-large", "max_output_tokens": 16, "temperature": 0}
        whole = self.responses.create(input="Hello!", **options)
        # It ends at the limit, and the helper waits for answers that do not.
        streamed = list(self.responses.create(input="Hello!", stream=True, **options))[-1].response
        self.assertEqual(streamed.incomplete_details.reason, "max_output_tokens")
        self.assertGreater(len(whole.output_text), 3)
        self.assertEqual(streamed.output_text, whole.output_text)

    def test_answers_hold_under_strict_validation(self):
        with self.open(_strict_response_validation=True) as openai:
            openai.responses.create(model="relay-chat", input=QUESTION, reasoning={"summary": "auto"})
            openai.responses.create(model="relay-tools", input=QUESTION, tools=[TOOL])
            list(openai.responses.create(model="relay-chat", input=QUESTION, stream=True))


class AzureOpenAIResponsesChecks(ResponsesChecks, unittest.TestCase):
    client = name_client("openai", "AzureOpenAI")

    def open(self, **options):
        options = {"azure_endpoint": root_url, "api_version": "2025-03-01-preview", "api_key": key, **options}
        return AzureOpenAI(**options)


class OpenAIResponsesChecks(ResponsesChecks, unittest.TestCase):
    client = name_client("openai", "OpenAI")

    def open(self, **options):
        return OpenAI(**{"base_url": v1_url, "api_key": key, **options})
