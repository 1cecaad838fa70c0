"""azure-ai-inference for Python, ChatCompletionsClient."""

import unittest

from azure.ai.inference import ChatCompletionsClient, load_client
from azure.ai.inference.models import (
    AssistantMessage,
    ChatCompletionsToolDefinition,
    FunctionDefinition,
    SystemMessage,
    ToolMessage,
    UserMessage,
)
from azure.core.credentials import AzureKeyCredential
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError, ServiceResponseError

from surroundings import (
    QUESTION,
    RETRY_AFTER_MS,
    RIEMANN,
    WEATHER,
    inference_url,
    join_text,
    key,
    list_seen,
    name_client,
    new_mark,
    release,
    root_url,
)

weather_tool = ChatCompletionsToolDefinition(function=FunctionDefinition(**WEATHER))


def open_client(secret: str = key, endpoint: str = inference_url, **options) -> ChatCompletionsClient:
    return ChatCompletionsClient(endpoint=endpoint, credential=AzureKeyCredential(secret), **options)


def ask(text: str) -> list:
    return [SystemMessage(content="You are a helpful assistant."), UserMessage(content=text)]


class ChatChecks(unittest.TestCase):
    client = name_client("azure-ai-inference", "chat")

    def setUp(self):
        self.chat = open_client()
        self.addCleanup(self.chat.close)

    def check_whole(self, model: str):
        answer = self.chat.complete(messages=ask(QUESTION), model=model)
        self.assertEqual(answer.choices[0].message.content, f"Echo: {QUESTION}")
        self.assertEqual(answer.choices[0].finish_reason, "stop")
        self.assertEqual(answer.usage.total_tokens, 12)
        self.assertEqual(answer.model, "served-2024-08-06")
        self.assertTrue(answer.id)
        self.assertIsNotNone(answer.created)

    def check_stream(self, model: str):
        updates = list(self.chat.complete(messages=ask(QUESTION), model=model, stream=True))
        self.assertEqual(join_text(updates), f"Echo: {QUESTION}")
        self.assertEqual(updates[-1].choices[0].finish_reason, "stop")
        self.assertEqual(updates[-1].usage.total_tokens, 12)

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

    def test_model_set_on_the_client(self):
        with open_client(model="relay-chat", temperature=0.5) as chat:
            mark = new_mark()
            self.assertEqual(chat.complete(messages=ask(mark)).choices[0].message.content, f"Echo: {mark}")
            self.assertEqual(list_seen(mark)[0]["body"]["temperature"], 0.5)

    def test_endpoint_at_the_root(self):
        with open_client(endpoint=root_url) as chat:
            answer = chat.complete(messages=ask("hi"), model="relay-chat")
            self.assertEqual(answer.choices[0].message.content, "Echo: hi")

    def test_endpoint_of_one_azure_openai_deployment(self):
        endpoint = f"{root_url}/openai/deployments/RELAY-chat"
        with open_client(endpoint=endpoint, api_version="2024-10-21") as chat:
            self.assertEqual(chat.complete(messages=ask("hi")).choices[0].message.content, "Echo: hi")
            updates = list(chat.complete(messages=ask("hi"), stream=True))
            self.assertEqual(join_text(updates), "Echo: hi")

    def test_endpoint_of_one_azure_openai_deployment_on_an_untidy_server(self):
        endpoint = f"{root_url}/openai/deployments/relay-untidy"
        with open_client(endpoint=endpoint, api_version="2024-10-21") as chat:
            updates = list(chat.complete(messages=ask(QUESTION), stream=True))
        self.assertEqual(join_text(updates), f"Echo: {QUESTION}")

    def test_stream_is_passed_on_while_the_upstream_still_writes(self):
        mark = new_mark()
        updates = []
        for update in self.chat.complete(messages=ask(mark), model="relay-gated", stream=True):
            updates.append(update)
            if join_text(updates):
                release(mark)
        self.assertEqual(join_text(updates), f"Echo: {mark}")

    def test_tools(self):
        messages = ask("Weather in Paris?")
        answer = self.chat.complete(messages=messages, model="relay-tools", tools=[weather_tool])
        self.assertEqual(answer.choices[0].finish_reason, "tool_calls")
        [call] = answer.choices[0].message.tool_calls
        self.assertEqual((call.id, call.function.name), ("call_1", "get_weather"))
        self.assertEqual(call.function.arguments, '{"city":"Paris"}')
        messages.append(AssistantMessage(tool_calls=[call]))
        messages.append(ToolMessage(content="sunny", tool_call_id=call.id))
        answer = self.chat.complete(messages=messages, model="relay-tools", tools=[weather_tool])
        self.assertEqual(answer.choices[0].message.content, "Echo: sunny")

    def test_tools_streamed(self):
        updates = list(
            self.chat.complete(messages=ask("Weather?"), model="relay-tools", tools=[weather_tool], stream=True)
        )
        deltas = [call for update in updates for call in update.choices[0].delta.tool_calls or []]
        self.assertEqual((deltas[0].id, deltas[0].function.name), ("call_1", "get_weather"))
        self.assertEqual("".join(call.function.arguments for call in deltas), '{"city":"Paris"}')
        self.assertEqual(updates[-1].choices[0].finish_reason, "tool_calls")

    def test_model_extras_are_passed_through(self):
        for model in ("relay-chat", "relay-foundry"):
            with self.subTest(model=model):
                mark = new_mark()
                extras = {"safe_prompt": True, "vendor": {"deep": [1]}}
                self.chat.complete(messages=ask(mark), model=model, model_extras=extras)
                body = list_seen(mark)[0]["body"]
                self.assertEqual({name: body[name] for name in extras}, extras)

    def test_extra_fields_are_refused_by_default(self):
        mark = new_mark()
        body = {"messages": [{"role": "user", "content": mark}], "model": "relay-chat", "safe_prompt": True}
        with self.assertRaises(HttpResponseError) as caught:
            self.chat.complete(body=body)
        self.assertEqual(caught.exception.status_code, 400)
        self.assertIn("Extra parameters ['safe_prompt'] are not allowed", caught.exception.response.text())
        self.assertEqual(list_seen(mark), [])

    def test_extra_fields_are_dropped(self):
        mark = new_mark()
        body = {"messages": [{"role": "user", "content": mark}], "model": "relay-chat", "safe_prompt": True}
        self.chat.complete(body=body, headers={"extra-parameters": "drop"})
        self.assertNotIn("safe_prompt", list_seen(mark)[0]["body"])

    def test_model_info(self):
        with open_client(headers={"x-ms-model-mesh-model-name": "RELAY-CHAT"}) as chat:
            info = chat.get_model_info()
        self.assertEqual(info.model_name, "gpt-4o")
        self.assertEqual(info.model_type, "chat-completion")
        self.assertEqual(info.model_provider_name, "OpenAI")

    def test_load_client(self):
        headers = {"x-ms-model-mesh-model-name": "relay-chat"}
        with load_client(inference_url, AzureKeyCredential(key), headers=headers) as chat:
            self.assertIsInstance(chat, ChatCompletionsClient)
            self.assertEqual(chat.complete(messages=ask("hi")).choices[0].message.content, "Echo: hi")

    def test_wrong_key(self):
        with open_client("wrong") as chat, self.assertRaises(ClientAuthenticationError) as caught:
            chat.complete(messages=ask("hi"), model="relay-chat")
        self.assertEqual(caught.exception.status_code, 401)

    def test_unknown_model(self):
        with self.assertRaises(HttpResponseError) as caught:
            self.chat.complete(messages=ask("hi"), model="relay-chatt")
        self.assertEqual(caught.exception.status_code, 400)
        self.assertEqual(caught.exception.error.code, "unknown_model")
        self.assertIn("'Relay-Chat'", caught.exception.error.message)

    def test_no_model(self):
        with self.assertRaises(HttpResponseError) as caught:
            self.chat.complete(messages=ask("hi"))
        self.assertEqual((caught.exception.status_code, caught.exception.error.code), (400, "no_model_name"))

    def test_bad_field(self):
        for field, value in (("temperature", "hot"), ("max_tokens", -1)):
            with self.subTest(field=field), self.assertRaises(HttpResponseError) as caught:
                self.chat.complete(messages=ask("hi"), model="relay-chat", **{field: value})
            self.assertEqual(caught.exception.status_code, 400)
            self.assertEqual(caught.exception.error.target, field)

    def test_errors_of_a_stream(self):
        with self.assertRaises(HttpResponseError) as caught:
            self.chat.complete(messages=ask("hi"), model="relay-chatt", stream=True)
        self.assertEqual(caught.exception.error.code, "unknown_model")

    def test_refusal_of_the_upstream_keeps_its_code(self):
        with self.assertRaises(HttpResponseError) as caught:
            self.chat.complete(messages=ask("hi"), model="relay-refusing")
        self.assertEqual(caught.exception.status_code, 400)
        self.assertEqual(caught.exception.error.code, "context_length_exceeded")

    def test_upstream_that_breaks_down_once(self):
        for model in ("relay-failing", "relay-cut"):
            mark = new_mark()
            with self.subTest(model=model), self.assertRaises(HttpResponseError) as caught:
                self.chat.complete(messages=ask(mark), model=model)
            self.assertEqual(caught.exception.status_code, 502)
            answer = self.chat.complete(messages=ask(mark), model=model)
            self.assertEqual(answer.choices[0].message.content, f"Echo: {mark}")

    def test_stream_that_is_cut_off(self):
        # This client drops the error event, so a stream without a finish reason is how its user sees it.
        updates = list(self.chat.complete(messages=ask(new_mark()), model="relay-cut", stream=True))
        self.assertEqual(join_text(updates), "Echo:")
        self.assertEqual({update.choices[0].finish_reason for update in updates}, {None})

    def test_429_says_when_to_come_back(self):
        with self.assertRaises(HttpResponseError) as caught:
            self.chat.complete(messages=ask(new_mark()), model="relay-limited", retry_total=0)
        self.assertEqual(caught.exception.status_code, 429)
        headers = caught.exception.response.headers
        self.assertEqual((headers["retry-after"], headers["retry-after-ms"]), ("2", str(RETRY_AFTER_MS)))

    def test_429_is_waited_for_by_the_client(self):
        mark = new_mark()
        answer = self.chat.complete(messages=ask(mark), model="relay-limited")
        self.assertEqual(answer.choices[0].message.content, f"Echo: {mark}")
        first, second = list_seen(mark)
        self.assertGreaterEqual(second["receivedAtMs"] - first["receivedAtMs"], RETRY_AFTER_MS)

    def test_closing_a_stream_ends_that_of_the_upstream(self):
        mark = new_mark()
        stream = self.chat.complete(messages=ask(mark), model="relay-endless", stream=True)
        next(iter(stream))
        stream.close()
        self.assertFalse(list_seen(mark)[0]["isWhole"])

    def test_timeout_before_the_first_byte_ends_the_request_of_the_upstream(self):
        mark = new_mark()
        with self.assertRaises(ServiceResponseError):
            self.chat.complete(messages=ask(mark), model="relay-silent", read_timeout=2, retry_total=0)
        self.assertFalse(list_seen(mark)[0]["isWhole"])

    def check_built_in(self, model: str):
        answer = self.chat.complete(messages=ask(RIEMANN), model=model)
        self.assertGreater(len(answer.choices[0].message.content), 20)
        self.assertIn(answer.choices[0].finish_reason, ("stop", "length"))
        usage = answer.usage
        self.assertGreater(usage.completion_tokens, 0)
        self.assertEqual(usage.total_tokens, usage.prompt_tokens + usage.completion_tokens)

    def test_built_in_model(self):
        self.check_built_in("mistral-large")

    def test_built_in_model_in_upper_case(self):
        self.check_built_in("MISTRAL-LARGE")

    def test_built_in_model_streamed(self):
        options = {"messages": ask(RIEMANN), "model": "mistral-large", "temperature": 0, "max_tokens": 60}
        whole = self.chat.complete(**options)
        updates = list(self.chat.complete(**options, stream=True))
        self.assertEqual(join_text(updates), whole.choices[0].message.content)
        self.assertEqual(updates[-1].usage.total_tokens, whole.usage.total_tokens)
        self.assertGreater(len(updates), 3)

    def test_built_in_model_info(self):
        with open_client(headers={"x-ms-model-mesh-model-name": "mistral-large"}) as chat:
            self.assertEqual(chat.get_model_info().model_name, "builtin-nano")


