"""semantic-kernel: its connectors for the Model Inference API and for Azure OpenAI."""

import unittest
from typing import Annotated

from semantic_kernel import Kernel
from semantic_kernel.connectors.ai.azure_ai_inference import (
    AzureAIInferenceChatCompletion,
    AzureAIInferenceChatPromptExecutionSettings,
    AzureAIInferenceTextEmbedding,
)
from semantic_kernel.connectors.ai.function_choice_behavior import FunctionChoiceBehavior
from semantic_kernel.connectors.ai.open_ai import (
    AzureChatCompletion,
    AzureChatPromptExecutionSettings,
    AzureTextCompletion,
    AzureTextEmbedding,
    OpenAITextPromptExecutionSettings,
)
from semantic_kernel.contents import ChatHistory
from semantic_kernel.functions import kernel_function

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
    root_url,
)


class WeatherPlugin:
    @kernel_function(name="get_weather", description="The weather in a city")
    def get_weather(self, city: Annotated[str, "The city"]) -> str:
        return f"sunny in {city}"


def ask(text: str) -> ChatHistory:
    history = ChatHistory(system_message="You are a helpful assistant.")
    history.add_user_message(text)
    return history


def find_cause(error: BaseException, name: str):
    """What the framework's own exception was made from: the client's exception, or what carries that attribute."""
    seen: BaseException | None = error
    while seen is not None:
        if getattr(seen, name, None) is not None:
            return getattr(seen, name)
        seen = seen.__cause__ or seen.__context__
    return None


class SharedChecks:
    """What both chat connectors must see."""

    def open(self, model: str, secret: str = key):
        raise NotImplementedError

    async def complete(self, model: str, text: str = QUESTION, **options):
        return await self.open(model).get_chat_message_content(ask(text), self.settings(**options))

    async def stream(self, model: str, text: str = QUESTION, **options) -> list:
        updates = self.open(model).get_streaming_chat_message_content(ask(text), self.settings(**options))
        return [update async for update in updates]

    async def test_whole(self):
        for model in MODELS:
            with self.subTest(model=model):
                answer = await self.complete(model)
                self.assertEqual(str(answer), f"Echo: {QUESTION}")
                self.assertEqual(answer.finish_reason, "stop")
                self.assertEqual(answer.metadata["usage"].prompt_tokens, 7)

    async def test_stream(self):
        for model in MODELS:
            with self.subTest(model=model):
                updates = await self.stream(model)
                self.assertEqual("".join(map(str, updates)), f"Echo: {QUESTION}")
                self.assertIn("stop", [update.finish_reason for update in updates])
                usages = [update.metadata.get("usage") for update in updates]
                self.assertEqual(max(usage.completion_tokens for usage in usages if usage), 5)

    async def test_stream_is_passed_on_while_the_upstream_still_writes(self):
        mark = new_mark()
        text = ""
        async for update in self.open("relay-gated").get_streaming_chat_message_content(ask(mark), self.settings()):
            text += str(update)
            if text:
                release(mark)
        self.assertEqual(text, f"Echo: {mark}")

    async def test_functions_are_called_and_their_results_handed_back(self):
        kernel = Kernel()
        kernel.add_plugin(WeatherPlugin(), plugin_name="weather")
        behavior = FunctionChoiceBehavior.Auto()
        for is_streamed in (False, True):
            with self.subTest(streamed=is_streamed):
                settings = self.settings(function_choice_behavior=behavior)
                service = self.open("relay-tools")
                if is_streamed:
                    updates = service.get_streaming_chat_message_content(ask("Weather?"), settings, kernel=kernel)
                    text = "".join([str(update) async for update in updates if update.role == "assistant"])
                else:
                    text = str(await service.get_chat_message_content(ask("Weather?"), settings, kernel=kernel))
                self.assertEqual(text, "Echo: sunny in Paris")

    async def test_settings_reach_the_upstream(self):
        mark = new_mark()
        await self.complete("relay-chat", mark, temperature=0.5, max_tokens=9)
        body = list_seen(mark)[0]["body"]
        self.assertEqual((body["temperature"], body["max_tokens"], body["model"]), (0.5, 9, "plain"))

    async def test_wrong_key(self):
        with self.assertRaises(Exception) as caught:
            await self.open("relay-chat", "wrong").get_chat_message_content(ask("hi"), self.settings())
        self.assertEqual(find_cause(caught.exception, "status_code"), 401)

    async def test_unknown_deployment(self):
        for attempt in (self.complete, self.stream):
            with self.assertRaises(Exception) as caught:
                await attempt("relay-chatt")
            self.assertEqual(find_cause(caught.exception, "status_code"), self.unknown_status)
            self.assertIn("'Relay-Chat'", str(find_cause(caught.exception, "message")))

    async def test_429_is_waited_for_by_the_client(self):
        mark = new_mark()
        self.assertEqual(str(await self.complete("relay-limited", mark)), f"Echo: {mark}")
        first, second = list_seen(mark)
        self.assertGreaterEqual(second["receivedAtMs"] - first["receivedAtMs"], RETRY_AFTER_MS)

    async def test_built_in_model(self):
        options = {"temperature": 0, "max_tokens": 40}
        answer = str(await self.complete("mistral-large", RIEMANN, **options))
        self.assertGreater(len(answer), 20)
        self.assertEqual("".join(map(str, await self.stream("MISTRAL-LARGE", RIEMANN, **options))), answer)


class InferenceChatChecks(SharedChecks, unittest.IsolatedAsyncioTestCase):
    client = name_client("semantic-kernel", "AzureAIInferenceChatCompletion")
    settings = AzureAIInferenceChatPromptExecutionSettings
    unknown_status = 400

    def open(self, model: str, secret: str = key):
        service = AzureAIInferenceChatCompletion(ai_model_id=model, api_key=secret, endpoint=inference_url)
        self.addAsyncCleanup(service.client.close)
        return service

    async def test_extra_parameters_are_passed_through(self):
        mark = new_mark()
        await self.complete("relay-chat", mark, extra_parameters={"safe_prompt": True})
        self.assertTrue(list_seen(mark)[0]["body"]["safe_prompt"])


class AzureChatChecks(SharedChecks, unittest.IsolatedAsyncioTestCase):
    client = name_client("semantic-kernel", "AzureChatCompletion")
    settings = AzureChatPromptExecutionSettings
    unknown_status = 404

    def open(self, model: str, secret: str = key):
        service = AzureChatCompletion(deployment_name=model, api_key=secret, endpoint=root_url)
        self.addAsyncCleanup(service.client.close)
        return service

    async def test_completions(self):
        service = AzureTextCompletion(deployment_name="relay-chat", api_key=key, endpoint=root_url)
        self.addAsyncCleanup(service.client.close)
        settings = OpenAITextPromptExecutionSettings()
        self.assertEqual(str(await service.get_text_content(QUESTION, settings)), f"Echo: {QUESTION}")


class EmbeddingsChecks(unittest.IsolatedAsyncioTestCase):
    client = name_client("semantic-kernel", "embeddings")

    def open_inference(self, model: str, secret: str = key):
        service = AzureAIInferenceTextEmbedding(ai_model_id=model, api_key=secret, endpoint=inference_url)
        self.addAsyncCleanup(service.client.close)
        return service

    def open_azure(self, model: str, secret: str = key):
        service = AzureTextEmbedding(deployment_name=model, api_key=secret, endpoint=root_url)
        self.addAsyncCleanup(service.client.close)
        return service

    async def test_texts(self):
        for open_service in (self.open_inference, self.open_azure):
            for model in ("relay-chat", "RELAY-FLOATS", "relay-foundry"):
                with self.subTest(connector=open_service.__name__, model=model):
                    vectors = await open_service(model).generate_embeddings(["one", "three"])
                    self.assertEqual(vectors.tolist(), VECTORS)

    async def test_wrong_key(self):
        for open_service in (self.open_inference, self.open_azure):
            with self.subTest(connector=open_service.__name__), self.assertRaises(Exception) as caught:
                await open_service("relay-chat", "wrong").generate_embeddings(["one"])
            self.assertEqual(find_cause(caught.exception, "status_code"), 401)

    async def test_unknown_deployment(self):
        for open_service, status in ((self.open_inference, 400), (self.open_azure, 404)):
            with self.subTest(connector=open_service.__name__), self.assertRaises(Exception) as caught:
                await open_service("relay-chatt").generate_embeddings(["one"])
            self.assertEqual(find_cause(caught.exception, "status_code"), status)

    async def test_built_in_model(self):
        for open_service in (self.open_inference, self.open_azure):
            with self.subTest(connector=open_service.__name__):
                one, other = await open_service("mistral-large").generate_embeddings(["The cat sleeps.", "Taxes."])
                self.assertGreater(len(one), 16)
                self.assertNotEqual(one.tolist(), other.tolist())
