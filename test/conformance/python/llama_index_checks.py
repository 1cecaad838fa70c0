"""llama-index: its models on the Model Inference API."""

import unittest

from azure.core.exceptions import ClientAuthenticationError, HttpResponseError
from llama_index.core.llms import ChatMessage
from llama_index.core.tools import FunctionTool
from llama_index.embeddings.azure_inference import AzureAIEmbeddingsModel
from llama_index.llms.azure_inference import AzureAICompletionsModel

from surroundings import (
    MODELS,
    QUESTION,
    RETRY_AFTER_MS,
    RIEMANN,
    VECTORS,
    inference_url,
    key,
    list_seen,
    name_client,
    new_mark,
    release,
)


def get_weather(city: str) -> str:
    """The weather in a city."""
    return f"sunny in {city}"


weather_tool = FunctionTool.from_defaults(get_weather)


def open_model(model: str | None, secret: str = key, **options) -> AzureAICompletionsModel:
    return AzureAICompletionsModel(endpoint=inference_url, credential=secret, model_name=model, **options)


def ask(text: str) -> list[ChatMessage]:
    return [ChatMessage(role="system", content="Be brief."), ChatMessage(role="user", content=text)]


class ChatChecks(unittest.IsolatedAsyncioTestCase):
    client = name_client("llama-index-llms-azure-inference", "AzureAICompletionsModel")

    def test_whole(self):
        for model in MODELS:
            with self.subTest(model=model):
                answer = open_model(model).chat(ask(QUESTION))
                self.assertEqual(answer.message.content, f"Echo: {QUESTION}")
                self.assertEqual(answer.raw["usage"]["total_tokens"], 12)

    def test_stream(self):
        for model in MODELS:
            with self.subTest(model=model):
                updates = list(open_model(model).stream_chat(ask(QUESTION)))
                self.assertEqual("".join(update.delta for update in updates), f"Echo: {QUESTION}")
                self.assertEqual(updates[-1].message.content, f"Echo: {QUESTION}")

    async def test_asynchronous(self):
        model = open_model("relay-chat")
        self.assertEqual((await model.achat(ask(QUESTION))).message.content, f"Echo: {QUESTION}")
        updates = [update async for update in await model.astream_chat(ask(QUESTION))]
        self.assertEqual(updates[-1].message.content, f"Echo: {QUESTION}")

    def test_complete(self):
        self.assertEqual(open_model("relay-chat").complete(QUESTION).text, f"Echo: {QUESTION}")
        self.assertEqual(list(open_model("relay-chat").stream_complete(QUESTION))[-1].text, f"Echo: {QUESTION}")

    def test_stream_is_passed_on_while_the_upstream_still_writes(self):
        mark = new_mark()
        text = ""
        for update in open_model("relay-gated").stream_chat(ask(mark)):
            text = update.message.content
            if text:
                release(mark)
        self.assertEqual(text, f"Echo: {mark}")

    def test_settings_reach_the_upstream(self):
        mark = new_mark()
        open_model("relay-chat", temperature=0.5, max_tokens=9, model_kwargs={"seed": 3}).chat(ask(mark))
        body = list_seen(mark)[0]["body"]
        self.assertEqual((body["temperature"], body["max_tokens"], body["seed"]), (0.5, 9, 3))

    def test_metadata_of_the_endpoint(self):
        headers = {"x-ms-model-mesh-model-name": "relay-chat"}
        self.assertEqual(open_model(None, client_kwargs={"headers": headers}).metadata.model_name, "gpt-4o")

    def test_metadata_of_an_endpoint_of_many_models(self):
        self.assertEqual(open_model("relay-chat").metadata.model_name, "relay-chat")

    def test_tools(self):
        model = open_model("relay-tools")
        history = ask("Weather in Paris?")
        answer = model.chat_with_tools([weather_tool], chat_history=history)
        [call] = model.get_tool_calls_from_response(answer)
        self.assertEqual((call.tool_id, call.tool_name, call.tool_kwargs), ("call_1", "get_weather", {"city": "Paris"}))
        result = ChatMessage(role="tool", content="sunny", additional_kwargs={"tool_call_id": call.tool_id})
        answer = model.chat_with_tools([weather_tool], chat_history=[*ask("Weather?"), answer.message, result])
        self.assertEqual(answer.message.content, "Echo: sunny")

    def test_wrong_key(self):
        with self.assertRaises(ClientAuthenticationError):
            open_model("relay-chat", "wrong").chat(ask("hi"))

    def test_unknown_model(self):
        for attempt in (lambda model: model.chat(ask("hi")), lambda model: list(model.stream_chat(ask("hi")))):
            with self.assertRaises(HttpResponseError) as caught:
                attempt(open_model("relay-chatt"))
            self.assertEqual((caught.exception.status_code, caught.exception.error.code), (400, "unknown_model"))

    def test_429_is_waited_for_by_the_client(self):
        mark = new_mark()
        self.assertEqual(open_model("relay-limited").chat(ask(mark)).message.content, f"Echo: {mark}")
        first, second = list_seen(mark)
        self.assertGreaterEqual(second["receivedAtMs"] - first["receivedAtMs"], RETRY_AFTER_MS)

    def test_built_in_model(self):
        model = open_model("mistral-large", temperature=0, max_tokens=40)
        answer = model.chat(ask(RIEMANN)).message.content
        self.assertGreater(len(answer), 20)
        self.assertEqual(list(model.stream_chat(ask(RIEMANN)))[-1].message.content, answer)


class EmbeddingsChecks(unittest.IsolatedAsyncioTestCase):
    client = name_client("llama-index-embeddings-azure-inference", "AzureAIEmbeddingsModel")

    def open(self, model: str | None, secret: str = key, **options) -> AzureAIEmbeddingsModel:
        return AzureAIEmbeddingsModel(endpoint=inference_url, credential=secret, model_name=model, **options)

    def test_texts(self):
        for model in ("Relay-Chat", "RELAY-FLOATS", "relay-foundry", "relay-azure"):
            with self.subTest(model=model):
                self.assertEqual(self.open(model).get_text_embedding_batch(["one", "three"]), VECTORS)

    def test_query(self):
        self.assertEqual(self.open("relay-chat").get_query_embedding("one"), VECTORS[0])

    async def test_asynchronous(self):
        model = self.open("relay-chat")
        self.addAsyncCleanup(model._async_client.close)
        self.assertEqual(await model.aget_text_embedding_batch(["one", "three"]), VECTORS)

    def test_name_from_the_endpoint(self):
        headers = {"x-ms-model-mesh-model-name": "relay-chat"}
        self.assertEqual(self.open(None, client_kwargs={"headers": headers}).model_name, "gpt-4o")

    def test_wrong_key(self):
        with self.assertRaises(ClientAuthenticationError):
            self.open("relay-chat", "wrong").get_query_embedding("one")

    def test_unknown_model(self):
        with self.assertRaises(HttpResponseError) as caught:
            self.open("relay-chatt").get_query_embedding("one")
        self.assertEqual((caught.exception.status_code, caught.exception.error.code), (400, "unknown_model"))

    def test_built_in_model(self):
        one, other = self.open("mistral-large").get_text_embedding_batch(["The cat sleeps.", "Taxes are due."])
        self.assertGreater(len(one), 16)
        self.assertNotEqual(one, other)
