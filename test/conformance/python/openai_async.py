"""openai for Python: its asynchronous clients."""

import asyncio
import unittest

from openai import (
    APIError,
    APIStatusError,
    AsyncAzureOpenAI,
    AsyncOpenAI,
    AuthenticationError,
    BadRequestError,
    NotFoundError,
    RateLimitError,
)

from surroundings import (
    QUESTION,
    RETRY_AFTER_MS,
    RIEMANN,
    VECTORS,
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


async def seen(mark: str) -> list[dict]:
    return await asyncio.to_thread(list_seen, mark)


class SharedChecks:
    def open(self, **options):
        raise NotImplementedError

    async def asyncSetUp(self):
        self.openai = self.open()
        self.addAsyncCleanup(self.openai.close)

    async def chat(self, model: str, text: str = QUESTION, **options):
        return await self.openai.chat.completions.create(model=model, messages=[user(text)], **options)

    async def collect(self, model: str, text: str = QUESTION, **options) -> list:
        return [chunk async for chunk in await self.chat(model, text, stream=True, **options)]

    async def test_whole(self):
        for model in ("Relay-Chat", "RELAY-CHAT", "relay-azure", "relay-foundry"):
            with self.subTest(model=model):
                answer = await self.chat(model)
                self.assertEqual(answer.choices[0].message.content, f"Echo: {QUESTION}")
                self.assertEqual(answer.usage.total_tokens, 12)

    async def test_stream(self):
        for model in ("Relay-Chat", "RELAY-CHAT", "relay-azure", "relay-foundry"):
            with self.subTest(model=model):
                chunks = await self.collect(model, stream_options={"include_usage": True})
                self.assertEqual(join_text(chunks), f"Echo: {QUESTION}")
                self.assertEqual(chunks[-1].usage.total_tokens, 12)

    async def test_stream_is_passed_on_while_the_upstream_still_writes(self):
        mark = new_mark()
        chunks = []
        async for chunk in await self.chat("relay-gated", mark, stream=True):
            chunks.append(chunk)
            if join_text(chunks):
                await asyncio.to_thread(release, mark)
        self.assertEqual(join_text(chunks), f"Echo: {mark}")

    async def test_twenty_streams_at_once(self):
        marks = [new_mark() for _ in range(20)]
        streams = await asyncio.gather(*(self.collect("relay-chat", mark) for mark in marks))
        self.assertEqual([join_text(stream) for stream in streams], [f"Echo: {mark}" for mark in marks])

    async def test_completions(self):
        answer = await self.openai.completions.create(model="RELAY-CHAT", prompt=QUESTION)
        self.assertEqual(answer.choices[0].text, f"Echo: {QUESTION}")

    async def test_embeddings(self):
        for model in ("relay-chat", "RELAY-FLOATS"):
            with self.subTest(model=model):
                answer = await self.openai.embeddings.create(model=model, input=["one", "three"])
                self.assertEqual([list(item.embedding) for item in answer.data], VECTORS)

    async def test_errors(self):
        for kind, model, options in (
            (NotFoundError, "relay-chatt", {}),
            (BadRequestError, "relay-chat", {"temperature": "hot"}),
            (BadRequestError, "relay-refusing", {}),
        ):
            with self.subTest(model=model), self.assertRaises(kind):
                await self.chat(model, **options)

    async def test_wrong_key(self):
        async with self.open(api_key="wrong") as openai:
            with self.assertRaises(AuthenticationError):
                await openai.chat.completions.create(model="relay-chat", messages=[user("hi")])

    async def test_429_without_a_retry(self):
        with self.assertRaises(RateLimitError):
            once = self.openai.with_options(max_retries=0)
            await once.chat.completions.create(model="relay-limited", messages=[user(new_mark())])

    async def test_429_is_waited_for_by_the_client(self):
        mark = new_mark()
        self.assertEqual((await self.chat("relay-limited", mark)).choices[0].message.content, f"Echo: {mark}")
        first, second = await seen(mark)
        self.assertGreaterEqual(second["receivedAtMs"] - first["receivedAtMs"], RETRY_AFTER_MS)

    async def test_stream_that_is_cut_off(self):
        chunks = []
        with self.assertRaises(APIError) as caught:
            async for chunk in await self.chat("relay-cut", new_mark(), stream=True):
                chunks.append(chunk)
        self.assertNotIsInstance(caught.exception, APIStatusError)
        self.assertEqual(join_text(chunks), "Echo:")

    async def test_cancelling_a_task_ends_the_request_of_the_upstream(self):
        mark = new_mark()
        has_begun = asyncio.Event()

        async def read():
            async for _ in await self.chat("relay-endless", mark, stream=True):
                has_begun.set()

        task = asyncio.create_task(read())
        await has_begun.wait()
        task.cancel()
        with self.assertRaises(asyncio.CancelledError):
            await task
        self.assertFalse((await seen(mark))[0]["isWhole"])

    async def test_built_in_model(self):
        for model in ("mistral-large", "MISTRAL-LARGE"):
            with self.subTest(model=model):
                answer = await self.chat(model, RIEMANN)
                self.assertGreater(len(answer.choices[0].message.content), 20)

    async def test_built_in_model_streamed(self):
        options = {"temperature": 0, "max_tokens": 60}
        whole = await self.chat("mistral-large", RIEMANN, **options)
        chunks = await self.collect("mistral-large", RIEMANN, **options)
        self.assertEqual(join_text(chunks), whole.choices[0].message.content)


class AsyncAzureOpenAIChecks(SharedChecks, unittest.IsolatedAsyncioTestCase):
    client = name_client("openai", "AsyncAzureOpenAI")

    def open(self, **options):
        return AsyncAzureOpenAI(**{"azure_endpoint": root_url, "api_version": "2024-10-21", "api_key": key, **options})


class AsyncOpenAIChecks(SharedChecks, unittest.IsolatedAsyncioTestCase):
    client = name_client("openai", "AsyncOpenAI")

    def open(self, **options):
        return AsyncOpenAI(**{"base_url": v1_url, "api_key": key, **options})
