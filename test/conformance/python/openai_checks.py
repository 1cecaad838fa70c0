"""openai for Python: what both of its clients must see. The cases below say which client is opened."""

import base64
import json
import struct
import unittest

from openai import (
    APIError,
    APIStatusError,
    APITimeoutError,
    AuthenticationError,
    AzureOpenAI,
    BadRequestError,
    InternalServerError,
    NotFoundError,
    OpenAI,
    RateLimitError,
)
from openai.types.chat import ChatCompletionChunk

from surroundings import (
    QUESTION,
    RETRY_AFTER_MS,
    RIEMANN,
    VECTORS,
    WEATHER,
    join_text,
    key,
    list_seen,
    name_client,
    new_mark,
    release,
    root_url,
    user,
    v1_url,
)

weather_tool = {"type": "function", "function": WEATHER}


class SharedChecks:
    def open(self, **options):
        raise NotImplementedError

    def setUp(self):
        self.openai = self.open()
        self.addCleanup(self.openai.close)

    def chat(self, model: str, text: str = QUESTION, **options):
        return self.openai.chat.completions.create(model=model, messages=[user(text)], **options)

    def check_whole(self, model: str):
        answer = self.chat(model)
        self.assertEqual(answer.choices[0].message.content, f"Echo: {QUESTION}")
        self.assertEqual(answer.choices[0].finish_reason, "stop")
        self.assertEqual(answer.object, "chat.completion")
        self.assertEqual(answer.usage.total_tokens, 12)
        self.assertRegex(answer._request_id, "^[0-9a-f-]{36}$")

    def check_stream(self, model: str):
        chunks = list(self.chat(model, stream=True))
        self.assertEqual(join_text(chunks), f"Echo: {QUESTION}")
        self.assertEqual([chunk for chunk in chunks if chunk.choices][-1].choices[0].finish_reason, "stop")
        chunks = list(self.chat(model, stream=True, stream_options={"include_usage": True}))
        self.assertEqual(chunks[-1].usage.total_tokens, 12)

    def test_whole(self):
        self.check_whole("Relay-Chat")

    def test_whole_in_upper_case(self):
        self.check_whole("RELAY-CHAT")

    def test_whole_from_azure_openai(self):
        self.check_whole("relay-azure")

    def test_whole_from_foundry(self):
        self.check_whole("relay-foundry")

    def test_stream(self):
        self.check_stream("Relay-Chat")

    def test_stream_in_upper_case(self):
        self.check_stream("RELAY-CHAT")

    def test_stream_from_azure_openai(self):
        self.check_stream("relay-azure")

    def test_stream_from_foundry(self):
        self.check_stream("relay-foundry")

    def test_stream_from_an_untidy_server(self):
        self.check_stream("relay-untidy")

    def test_answers_hold_under_strict_validation(self):
        with self.open(_strict_response_validation=True) as openai:
            for model in ("relay-chat", "relay-foundry", "mistral-large"):
                with self.subTest(model=model):
                    chat = {"model": model, "messages": [user("hi")]}
                    openai.chat.completions.create(**chat)
                    self.check_chunks_strictly(openai, **chat, stream_options={"include_usage": True})
                    openai.embeddings.create(model=model, input="hi", encoding_format="float")
            # Not streamed: the client's own model of a completion lacks the null finish_reason that the vendor sends.
            for model in ("relay-chat", "mistral-large"):
                with self.subTest(model=model):
                    openai.completions.create(model=model, prompt="hi")

    def check_chunks_strictly(self, openai, **chat):
        with openai.chat.completions.with_streaming_response.create(**chat, stream=True) as response:
            lines = [line for line in response.iter_lines() if line.startswith("data: {")]
        # The annotations of the prompt come as the service sends them: in a chunk that is none by its own schema.
        annotation, *chunks = [json.loads(line.removeprefix("data: ")) for line in lines]
        self.assertEqual((annotation["object"], annotation["choices"]), ("", []))
        self.assertTrue([ChatCompletionChunk.model_validate(chunk) for chunk in chunks])

    def test_stream_is_passed_on_while_the_upstream_still_writes(self):
        mark = new_mark()
        chunks = []
        for chunk in self.chat("relay-gated", mark, stream=True):
            chunks.append(chunk)
            if join_text(chunks):
                release(mark)
        self.assertEqual(join_text(chunks), f"Echo: {mark}")

    def test_stream_helper(self):
        with self.openai.chat.completions.stream(model="relay-chat", messages=[user(QUESTION)]) as stream:
            deltas = [event.delta for event in stream if event.type == "content.delta"]
            completion = stream.get_final_completion()
        self.assertEqual("".join(deltas), f"Echo: {QUESTION}")
        self.assertEqual(completion.choices[0].message.content, f"Echo: {QUESTION}")

    def test_fields_that_the_server_does_not_know_reach_the_upstream(self):
        mark = new_mark()
        self.chat("relay-chat", mark, extra_body={"vendor_field": {"deep": [1]}})
        self.assertEqual(list_seen(mark)[0]["body"]["vendor_field"], {"deep": [1]})

    def test_tools(self):
        answer = self.chat("relay-tools", tools=[weather_tool])
        self.assertEqual(answer.choices[0].finish_reason, "tool_calls")
        [call] = answer.choices[0].message.tool_calls
        self.assertEqual((call.function.name, json.loads(call.function.arguments)), ("get_weather", {"city": "Paris"}))
        result = {"role": "tool", "tool_call_id": call.id, "content": "sunny"}
        messages = [user(QUESTION), answer.choices[0].message, result]
        answer = self.openai.chat.completions.create(model="relay-tools", messages=messages, tools=[weather_tool])
        self.assertEqual(answer.choices[0].message.content, "Echo: sunny")

    def test_tools_with_the_stream_helper(self):
        options = {"model": "relay-tools", "messages": [user("Weather?")], "tools": [weather_tool]}
        with self.openai.chat.completions.stream(**options) as stream:
            [call] = stream.get_final_completion().choices[0].message.tool_calls
        self.assertEqual((call.id, call.function.name), ("call_1", "get_weather"))
        self.assertEqual(json.loads(call.function.arguments), {"city": "Paris"})

    def test_completions(self):
        answer = self.openai.completions.create(model="RELAY-CHAT", prompt=QUESTION)
        self.assertEqual(answer.choices[0].text, f"Echo: {QUESTION}")
        self.assertEqual(answer.usage.total_tokens, 12)

    def test_completions_streamed(self):
        chunks = list(self.openai.completions.create(model="relay-chat", prompt=QUESTION, stream=True))
        self.assertEqual("".join(chunk.choices[0].text for chunk in chunks if chunk.choices), f"Echo: {QUESTION}")

    def test_embeddings(self):
        # Without encoding_format the client asks for base64 and decodes it.
        for model in ("relay-chat", "RELAY-FLOATS", "relay-foundry"):
            with self.subTest(model=model):
                answer = self.openai.embeddings.create(model=model, input=["one", "three"])
                self.assertEqual([list(item.embedding) for item in answer.data], VECTORS)
                answer = self.openai.embeddings.create(model=model, input=["one", "three"], encoding_format="float")
                self.assertEqual([item.embedding for item in answer.data], VECTORS)

    def test_embeddings_in_base64(self):
        for model in ("relay-chat", "relay-floats"):
            with self.subTest(model=model):
                answer = self.openai.embeddings.create(model=model, input="one", encoding_format="base64")
                vector = struct.unpack("<4f", base64.b64decode(answer.data[0].embedding))
                self.assertEqual(list(vector), VECTORS[0])

    def test_wrong_key(self):
        with self.open(api_key="wrong") as openai, self.assertRaises(AuthenticationError) as caught:
            openai.chat.completions.create(model="relay-chat", messages=[user("hi")])
        self.assertEqual(caught.exception.code, "401")

    def test_unknown_deployment(self):
        with self.assertRaises(NotFoundError) as caught:
            self.chat("relay-chatt")
        self.assertEqual(caught.exception.code, "DeploymentNotFound")
        self.assertIn("'Relay-Chat'", caught.exception.message)

    def test_bad_field(self):
        for param, options in (
            ("temperature", {"temperature": "hot"}),
            ("n", {"n": 0}),
            ("messages[0].role", {"messages": [{"role": "robot", "content": "hi"}]}),
        ):
            options = {"messages": [user("hi")], "model": "relay-chat", **options}
            with self.subTest(param=param), self.assertRaises(BadRequestError) as caught:
                self.openai.chat.completions.create(**options)
            self.assertEqual(caught.exception.param, param)
            self.assertEqual(caught.exception.type, "invalid_request_error")

    def test_refusal_of_the_upstream_keeps_its_code(self):
        with self.assertRaises(BadRequestError) as caught:
            self.chat("relay-refusing")
        self.assertEqual((caught.exception.code, caught.exception.param), ("context_length_exceeded", "messages"))

    def test_upstream_that_breaks_down_once(self):
        for model in ("relay-failing", "relay-cut"):
            mark = new_mark()
            with self.subTest(model=model), self.assertRaises(InternalServerError) as caught:
                self.openai.with_options(max_retries=0).chat.completions.create(model=model, messages=[user(mark)])
            self.assertEqual(caught.exception.status_code, 502)
            self.assertEqual(self.chat(model, mark).choices[0].message.content, f"Echo: {mark}")

    def test_failure_is_tried_again_by_the_client(self):
        mark = new_mark()
        self.assertEqual(self.chat("relay-failing", mark).choices[0].message.content, f"Echo: {mark}")
        self.assertEqual(len(list_seen(mark)), 2)

    def test_stream_that_is_cut_off(self):
        chunks = []
        with self.assertRaises(APIError) as caught:
            for chunk in self.chat("relay-cut", new_mark(), stream=True):
                chunks.append(chunk)
        self.assertNotIsInstance(caught.exception, APIStatusError)
        self.assertEqual(join_text(chunks), "Echo:")

    def test_429_says_when_to_come_back(self):
        with self.assertRaises(RateLimitError) as caught:
            once = self.openai.with_options(max_retries=0)
            once.chat.completions.create(model="relay-limited", messages=[user(new_mark())])
        headers = caught.exception.response.headers
        self.assertEqual((headers["retry-after"], headers["retry-after-ms"]), ("2", str(RETRY_AFTER_MS)))

    def test_429_is_waited_for_by_the_client(self):
        mark = new_mark()
        self.assertEqual(join_text(list(self.chat("relay-limited", mark, stream=True))), f"Echo: {mark}")
        first, second = list_seen(mark)
        self.assertGreaterEqual(second["receivedAtMs"] - first["receivedAtMs"], RETRY_AFTER_MS)

    def test_closing_a_stream_ends_that_of_the_upstream(self):
        mark = new_mark()
        with self.chat("relay-endless", mark, stream=True) as stream:
            next(iter(stream))
        self.assertFalse(list_seen(mark)[0]["isWhole"])

    def test_timeout_before_the_first_byte_ends_the_request_of_the_upstream(self):
        mark = new_mark()
        with self.assertRaises(APITimeoutError):
            once = self.openai.with_options(max_retries=0, timeout=2)
            once.chat.completions.create(model="relay-silent", messages=[user(mark)])
        self.assertFalse(list_seen(mark)[0]["isWhole"])

    def test_built_in_model(self):
        for model in ("mistral-large", "MISTRAL-LARGE"):
            with self.subTest(model=model):
                answer = self.chat(model, RIEMANN)
                self.assertGreater(len(answer.choices[0].message.content), 20)
                usage = answer.usage
                self.assertEqual(usage.total_tokens, usage.prompt_tokens + usage.completion_tokens)

    def test_built_in_model_streamed(self):
        options = {"temperature": 0, "max_tokens": 60, "seed": 1}
        whole = self.chat("mistral-large", RIEMANN, **options)
        options["stream_options"] = {"include_usage": True}
        chunks = list(self.chat("mistral-large", RIEMANN, stream=True, **options))
        self.assertEqual(join_text(chunks), whole.choices[0].message.content)
        self.assertEqual(chunks[-1].usage, whole.usage)

    def test_built_in_model_completes(self):
        answer = self.openai.completions.create(model="mistral-large", prompt="Once upon a time", max_tokens=8)
        self.assertTrue(0 < answer.usage.completion_tokens <= 8)

    def test_built_in_model_embeds(self):
        texts = ["The cat sleeps.", "Taxes are due."]
        packed = self.openai.embeddings.create(model="mistral-large", input=texts)
        plain = self.openai.embeddings.create(model="mistral-large", input=texts, encoding_format="float")
        for a, b in zip(packed.data, plain.data, strict=True):
            self.assertEqual([struct.unpack("<f", struct.pack("<f", x))[0] for x in b.embedding], list(a.embedding))
        self.assertNotEqual(plain.data[0].embedding, plain.data[1].embedding)


class AzureOpenAIChecks(SharedChecks, unittest.TestCase):
    client = name_client("openai", "AzureOpenAI")

    def open(self, **options):
        return AzureOpenAI(**{"azure_endpoint": root_url, "api_version": "2024-10-21", "api_key": key, **options})

    def test_everything_from_the_environment(self):
        with AzureOpenAI() as openai:
            answer = openai.chat.completions.create(model="relay-chat", messages=[user("hi")])
            self.assertEqual(answer.choices[0].message.content, "Echo: hi")

    def test_deployment_set_on_the_client(self):
        with self.open(azure_deployment="RELAY-chat") as openai:
            answer = openai.chat.completions.create(model="gpt-3.5-turbo", messages=[user("hi")])
            self.assertEqual(answer.choices[0].message.content, "Echo: hi")
            self.assertTrue(openai.models.list().data)

    def test_token_provider_sends_the_key_as_bearer(self):
        with AzureOpenAI(azure_ad_token_provider=lambda: key, api_version="2025-01-01-preview") as openai:
            answer = openai.chat.completions.create(model="relay-chat", messages=[user("hi")])
            self.assertEqual(answer.choices[0].message.content, "Echo: hi")

    def test_base_models_are_listed(self):
        self.assertIn("gpt-4o-2024-08-06", [model.id for model in self.openai.models.list()])


class OpenAIChecks(SharedChecks, unittest.TestCase):
    client = name_client("openai", "OpenAI")

    def open(self, **options):
        return OpenAI(**{"base_url": v1_url, "api_key": key, **options})

    def test_deployments_are_listed_and_found_in_any_case(self):
        with self.open(_strict_response_validation=True) as openai:
            names = [model.id for model in openai.models.list()]
        self.assertTrue({"Relay-Chat", "Mistral-large"} <= set(names))
        self.assertEqual(self.openai.models.retrieve("mistral-LARGE").id, "Mistral-large")
        with self.assertRaises(NotFoundError):
            self.openai.models.retrieve("nothing-like-it")
