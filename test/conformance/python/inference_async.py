"""azure-ai-inference for Python, the asynchronous ChatCompletionsClient over aiohttp."""

import asyncio
import unittest

from azure.ai.inference.aio import ChatCompletionsClient, load_client
from azure.ai.inference.models import SystemMessage, UserMessage
from azure.core.credentials import AzureKeyCredential
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError

from surroundings import (
    QUESTION,
    RETRY_AFTER_MS,
    RIEMANN,
    inference_url,
    join_text,
    key,
    list_seen,
    name_client,
    new_mark,
    release,
)


def ask(text: str) -> list:
    return [SystemMessage(content="You are a helpful assistant."), UserMessage(content=text)]


async def seen(mark: str) -> list[dict]:
    return await asyncio.to_thread(list_seen, mark)


class AsyncChatChecks(unittest.IsolatedAsyncioTestCase):
    client = name_client("azure-ai-inference", "chat async")

    async def asyncSetUp(self):
        self.chat = ChatCompletionsClient(endpoint=inference_url, credential=AzureKeyCredential(key))
        self.addAsyncCleanup(self.chat.close)

    async def collect(self, **options) -> list:
        return [update async for update in await self.chat.complete(stream=True, **options)]

    async def test_whole(self):
        for model in ("Relay-Chat", "RELAY-CHAT", "relay-azure", "relay-foundry"):
            with self.subTest(model=model):
                answer = await self.chat.complete(messages=ask(QUESTION), model=model)
                self.assertEqual(answer.choices[0].message.content, f"Echo: {QUESTION}")
                self.assertEqual(answer.usage.total_tokens, 12)

    async def test_stream(self):
        for model in ("Relay-Chat", "RELAY-CHAT", "relay-azure", "relay-foundry"):
            with self.subTest(model=model):
                updates = await self.collect(messages=ask(QUESTION), model=model)
                self.assertEqual(join_text(updates), f"Echo: {QUESTION}")
                self.assertEqual(updates[-1].choices[0].finish_reason, "stop")
                self.assertEqual(updates[-1].usage.total_tokens, 12)

    async def test_stream_is_passed_on_while_the_upstream_still_writes(self):
        mark = new_mark()
        updates = []
        async for update in await self.chat.complete(messages=ask(mark), model="relay-gated", stream=True):
            updates.append(update)
            if join_text(updates):
                await asyncio.to_thread(release, mark)
        self.assertEqual(join_text(updates), f"Echo: {mark}")

    async def test_twenty_streams_at_once(self):
        marks = [new_mark() for _ in range(20)]
        streams = await asyncio.gather(*(self.collect(messages=ask(mark), model="relay-chat") for mark in marks))
        self.assertEqual([join_text(stream) for stream in streams], [f"Echo: {mark}" for mark in marks])

    async def test_load_client(self):
        headers = {"x-ms-model-mesh-model-name": "relay-chat"}
        chat = await load_client(inference_url, AzureKeyCredential(key), headers=headers)
        async with chat:
            self.assertIsInstance(chat, ChatCompletionsClient)
            self.assertEqual((await chat.get_model_info()).model_name, "gpt-4o")

    async def test_wrong_key(self):
        async with ChatCompletionsClient(endpoint=inference_url, credential=AzureKeyCredential("wrong")) as chat:
            with self.assertRaises(ClientAuthenticationError):
                await chat.complete(messages=ask("hi"), model="relay-chat")

    async def test_unknown_model(self):
        with self.assertRaises(HttpResponseError) as caught:
            await self.chat.complete(messages=ask("hi"), model="relay-chatt")
        self.assertEqual((caught.exception.status_code, caught.exception.error.code), (400, "unknown_model"))

    async def test_429_is_waited_for_by_the_client(self):
        mark = new_mark()
        answer = await self.chat.complete(messages=ask(mark), model="relay-limited")
        self.assertEqual(answer.choices[0].message.content, f"Echo: {mark}")
        first, second = await seen(mark)
        self.assertGreaterEqual(second["receivedAtMs"] - first["receivedAtMs"], RETRY_AFTER_MS)

    async def test_stream_that_is_cut_off(self):
        updates = await self.collect(messages=ask(new_mark()), model="relay-cut")
        self.assertEqual(join_text(updates), "Echo:")
        self.assertEqual({update.choices[0].finish_reason for update in updates}, {None})

    async def test_closing_a_stream_ends_that_of_the_upstream(self):
        mark = new_mark()
        stream = await self.chat.complete(messages=ask(mark), model="relay-endless", stream=True)
        await anext(aiter(stream))
        await stream.aclose()
        self.assertFalse((await seen(mark))[0]["isWhole"])

    async def test_built_in_model(self):
        for model in ("mistral-large", "MISTRAL-LARGE"):
            with self.subTest(model=model):
                answer = await self.chat.complete(messages=ask(RIEMANN), model=model)
                self.assertGreater(len(answer.choices[0].message.content), 20)

    async def test_built_in_model_streamed(self):
        options = {"messages": ask(RIEMANN), "model": "mistral-large", "temperature": 0, "max_tokens": 60}
        whole = await self.chat.complete(**options)
        updates = await self.collect(**options)
        self.assertEqual(join_text(updates), whole.choices[0].message.content)
