"""openai for Python: files, uploads and batches, with its clients that wait and its asynchronous ones."""

import asyncio
import inspect
import json
import time
import unittest

from openai import (
    AsyncAzureOpenAI,
    AsyncOpenAI,
    AuthenticationError,
    AzureOpenAI,
    BadRequestError,
    ConflictError,
    NotFoundError,
    OpenAI,
)

from surroundings import QUESTION, key, list_seen, name_client, new_mark, root_url, user, v1_url

ENDED = ("completed", "failed", "cancelled", "expired")
# How long a batch of a few lines may take.
LIMIT_S = 30


def write_line(custom_id: str, model: str = "relay-chat", text: str = QUESTION, url: str = "/v1/chat/completions") -> str:
    body = {"model": model, "messages": [user(text)]}
    return json.dumps({"custom_id": custom_id, "method": "POST", "url": url, "body": body}, ensure_ascii=False)


def read_lines(text: str) -> dict:
    lines = [json.loads(line) for line in text.splitlines()]
    found = {line["custom_id"]: line for line in lines}
    assert len(found) == len(lines), f"a line is there twice: {text}"
    return found


async def settle(answer):
    """What a call comes to, of either kind of client."""
    return await answer if inspect.isawaitable(answer) else answer


async def collect(pages) -> list:
    """All items of a list and the pages behind it."""
    if hasattr(pages, "__aiter__"):
        return [item async for item in pages]
    return list(pages)


class BatchChecks:
    def open(self, **options):
        raise NotImplementedError

    async def asyncSetUp(self):
        self.openai = self.open()

    async def asyncTearDown(self):
        await settle(self.openai.close())

    async def upload(self, text: str, name: str = "input.jsonl", **options):
        options = {"purpose": "batch", **options}
        return await settle(self.openai.files.create(file=(name, text.encode()), **options))

    async def create(self, file_id: str, **options):
        options = {"endpoint": "/v1/chat/completions", "completion_window": "24h", **options}
        return await settle(self.openai.batches.create(input_file_id=file_id, **options))

    async def submit(self, *lines: str, **options):
        return await self.create((await self.upload("\n".join(lines) + "\n")).id, **options)

    async def wait(self, batch, states=ENDED):
        end = time.monotonic() + LIMIT_S
        while batch.status not in states:
            self.assertLess(time.monotonic(), end, f"the batch stays as it is: {batch}")
            await asyncio.sleep(0.1)
            batch = await settle(self.openai.batches.retrieve(batch.id))
        return batch

    async def read(self, file_id: str) -> str:
        return (await settle(self.openai.files.content(file_id))).text

    async def test_files_and_their_content(self):
        text = f"{write_line('a')}\r\n"
        file = await self.upload(text, "Grüße 世界.jsonl")
        self.assertEqual((file.object, file.purpose, file.filename), ("file", "batch", "Grüße 世界.jsonl"))
        self.assertEqual((file.bytes, file.status), (len(text.encode()), "processed"))
        self.assertEqual(await settle(self.openai.files.retrieve(file.id)), file)
        self.assertEqual((await settle(self.openai.files.wait_for_processing(file.id))).id, file.id)
        content = await settle(self.openai.files.content(file.id))
        self.assertEqual(content.content, text.encode())

    async def test_a_file_is_streamed(self):
        text = "".join(f"{write_line(str(number))}\n" for number in range(5_000))
        file = await self.upload(text)
        pieces = []
        answer = self.openai.files.with_streaming_response.content(file.id)
        if hasattr(answer, "__aenter__"):
            async with answer as response:
                pieces = [piece async for piece in response.iter_bytes()]
        else:
            with answer as response:
                pieces = list(response.iter_bytes())
        self.assertEqual(b"".join(pieces), text.encode())

    async def test_a_file_with_a_life(self):
        file = await self.upload(write_line("a"), expires_after={"anchor": "created_at", "seconds": 3600})
        self.assertEqual(file.expires_at, file.created_at + 3600)

    async def test_files_are_listed_page_by_page(self):
        ids = [(await self.upload(write_line("a"))).id for _ in range(5)][::-1]
        other = await self.upload("notes", "notes.txt", purpose="user_data")
        page = await settle(self.openai.files.list(limit=2, purpose="batch"))
        self.assertEqual(([file.id for file in page.data], page.has_more), (ids[:2], True))
        found = [file.id for file in await collect(self.openai.files.list(limit=2, purpose="batch"))]
        self.assertEqual(found[:5], ids)
        self.assertEqual(len(set(found)), len(found))
        self.assertNotIn(other.id, found)
        forwards = [file.id for file in await collect(self.openai.files.list(limit=100, purpose="batch", order="asc"))]
        self.assertEqual(forwards, found[::-1])
        after = await settle(self.openai.files.list(after=ids[1], limit=3, purpose="batch"))
        self.assertEqual([file.id for file in after.data], ids[2:])

    async def test_a_deleted_file_is_gone(self):
        file = await self.upload(write_line("a"))
        deleted = await settle(self.openai.files.delete(file.id))
        self.assertEqual((deleted.id, deleted.deleted, deleted.object), (file.id, True, "file"))
        for ask in (self.openai.files.retrieve, self.openai.files.content, self.openai.files.delete):
            with self.assertRaises(NotFoundError):
                await settle(ask(file.id))

    async def test_an_upload_in_parts(self):
        pieces = [f"{write_line(name)}\n".encode() for name in "abc"]
        size = sum(len(piece) for piece in pieces)
        uploads = self.openai.uploads
        upload = await settle(
            uploads.create(bytes=size, filename="parts.jsonl", mime_type="application/jsonl", purpose="batch")
        )
        parts = [(await settle(uploads.parts.create(upload.id, data=piece))).id for piece in pieces]
        done = await settle(uploads.complete(upload.id, part_ids=parts))
        self.assertEqual((done.status, done.file.bytes), ("completed", size))
        self.assertEqual(await self.read(done.file.id), b"".join(pieces).decode())

    async def test_an_upload_that_is_cut_by_the_client(self):
        data = f"{write_line('a')}\n".encode() * 100
        upload = await settle(
            self.openai.uploads.upload_file_chunked(
                file=data,
                filename="chunks.jsonl",
                bytes=len(data),
                mime_type="application/jsonl",
                purpose="batch",
                part_size=4_000,
            )
        )
        self.assertEqual(await self.read(upload.file.id), data.decode())

    async def test_an_upload_is_cancelled(self):
        uploads = self.openai.uploads
        upload = await settle(
            uploads.create(bytes=10, filename="a.jsonl", mime_type="application/jsonl", purpose="batch")
        )
        self.assertEqual((await settle(uploads.cancel(upload.id))).status, "cancelled")

    async def test_a_batch_from_upload_to_result(self):
        mark = new_mark()
        ids = [f"task-{number} 世界" for number in range(20)]
        lines = [write_line(custom_id, text=f"{mark} {custom_id}") for custom_id in ids]
        batch = await self.submit(*lines, metadata={"mark": mark})
        self.assertEqual((batch.object, batch.endpoint), ("batch", "/v1/chat/completions"))
        self.assertEqual((batch.completion_window, batch.metadata), ("24h", {"mark": mark}))
        ended = await self.wait(batch)
        self.assertEqual((ended.status, ended.errors), ("completed", None))
        counts = ended.request_counts
        self.assertEqual((counts.total, counts.completed, counts.failed), (20, 20, 0))
        self.assertEqual((ended.usage.input_tokens, ended.usage.output_tokens), (140, 100))
        self.assertTrue(ended.created_at <= ended.in_progress_at <= ended.finalizing_at <= ended.completed_at)
        found = read_lines(await self.read(ended.output_file_id))
        self.assertEqual(sorted(found), sorted(ids))
        for custom_id, line in found.items():
            self.assertEqual((line["response"]["status_code"], line["error"]), (200, None))
            answer = line["response"]["body"]["choices"][0]["message"]["content"]
            self.assertEqual(answer, f"Echo: {mark} {custom_id}")
        self.assertEqual(len(await asyncio.to_thread(list_seen, mark)), 20)
        output = await settle(self.openai.files.retrieve(ended.output_file_id))
        self.assertEqual(output.purpose, "batch_output")

    async def test_a_line_that_fails_is_in_the_error_file(self):
        ended = await self.wait(await self.submit(write_line("a", "relay-refusing"), write_line("b", "Relay-Refusing")))
        self.assertEqual((ended.status, ended.request_counts.failed), ("completed", 2))
        found = read_lines(await self.read(ended.error_file_id))
        self.assertEqual({name: line["response"]["status_code"] for name, line in found.items()}, {"a": 400, "b": 400})

    async def test_a_line_that_fails_for_a_while_is_tried_again(self):
        mark = new_mark()
        ended = await self.wait(await self.submit(write_line("a", "relay-failing", mark)))
        self.assertEqual((ended.status, ended.request_counts.completed), ("completed", 1))

    async def test_embeddings(self):
        body = {"model": "relay-chat", "input": ["abc", "ab"]}
        line = json.dumps({"custom_id": "a", "method": "POST", "url": "/v1/embeddings", "body": body})
        ended = await self.wait(await self.submit(line, endpoint="/v1/embeddings"))
        found = read_lines(await self.read(ended.output_file_id))
        vectors = [item["embedding"] for item in found["a"]["response"]["body"]["data"]]
        self.assertEqual(vectors, [[3, 0, 0.25, -1.5], [2, 1, 0.25, -1.5]])

    async def test_completions(self):
        body = {"model": "relay-chat", "prompt": "hi"}
        line = json.dumps({"custom_id": "a", "method": "POST", "url": "/v1/completions", "body": body})
        ended = await self.wait(await self.submit(line, endpoint="/v1/completions"))
        found = read_lines(await self.read(ended.output_file_id))
        self.assertEqual(found["a"]["response"]["body"]["choices"][0]["text"], "Echo: hi")

    async def test_batches_are_listed_page_by_page(self):
        file = await self.upload(write_line("a"))
        ids = [(await self.create(file.id)).id for _ in range(3)][::-1]
        page = await settle(self.openai.batches.list(limit=2))
        self.assertEqual(([batch.id for batch in page.data], page.has_more), (ids[:2], True))
        found = [batch.id for batch in await collect(self.openai.batches.list(limit=2))]
        self.assertEqual(found[:3], ids)
        self.assertEqual(len(set(found)), len(found))
        after = await settle(self.openai.batches.list(after=ids[0], limit=1))
        self.assertEqual([batch.id for batch in after.data], ids[1:2])

    async def test_a_batch_is_cancelled(self):
        batch = await self.submit(write_line("a", "relay-paused"), write_line("b", "relay-paused"))
        await self.wait(batch, ("in_progress",))
        cancelled = await settle(self.openai.batches.cancel(batch.id))
        self.assertIn(cancelled.status, ("cancelling", "cancelled"))
        self.assertIsNotNone(cancelled.cancelling_at)
        ended = await self.wait(cancelled)
        self.assertEqual((ended.status, ended.request_counts.completed), ("cancelled", 0))
        self.assertIsNotNone(ended.cancelled_at)

    async def test_a_batch_that_has_ended_cannot_be_cancelled(self):
        ended = await self.wait(await self.submit(write_line("a")))
        with self.assertRaises(ConflictError):
            await settle(self.openai.batches.cancel(ended.id))

    async def test_what_is_wrong_with_an_input_is_told_by_its_line(self):
        bad = [write_line("a"), "{", write_line("a"), write_line("b", url="/v1/embeddings"), write_line("c", "none")]
        ended = await self.wait(await self.submit(*bad))
        self.assertEqual((ended.status, ended.output_file_id), ("failed", None))
        found = [(error.code, error.line) for error in ended.errors.data]
        wanted = [("invalid_json_line", 2), ("duplicate_custom_id", 3), ("url_mismatch", 4), ("model_mismatch", 5)]
        self.assertEqual(found, wanted)
        self.assertTrue(all(error.message for error in ended.errors.data))

    async def test_an_unknown_deployment(self):
        ended = await self.wait(await self.submit(write_line("a", "nothing-like-it")))
        self.assertEqual([error.code for error in ended.errors.data], ["model_not_found"])

    async def test_a_batch_of_a_file_that_is_not_for_it(self):
        other = await self.upload("notes", "notes.txt", purpose="user_data")
        for file_id in (other.id, "file-nothing-like-it"):
            with self.assertRaises(BadRequestError) as caught:
                await self.create(file_id)
            self.assertIn("input_file_id", caught.exception.message)

    async def test_what_a_batch_cannot_be(self):
        file = await self.upload(write_line("a"))
        for options in ({"endpoint": "/v1/nothing"}, {"completion_window": "1h"}):
            with self.assertRaises(BadRequestError):
                await self.create(file.id, **options)

    async def test_files_that_cannot_be(self):
        for name, purpose in (("input.txt", "batch"), ("input.jsonl", "nothing")):
            with self.assertRaises(BadRequestError):
                await self.upload("x", name, purpose=purpose)

    async def test_what_is_not_there(self):
        for ask in (self.openai.files.retrieve, self.openai.batches.retrieve, self.openai.batches.cancel):
            with self.assertRaises(NotFoundError):
                await settle(ask("nothing-like-it"))

    async def test_a_wrong_key(self):
        wrong = self.open(api_key="wrong", max_retries=0)
        try:
            for ask in (
                lambda: wrong.files.create(file=("a.jsonl", b"{}"), purpose="batch"),
                lambda: wrong.files.retrieve("file-1"),
                lambda: wrong.batches.retrieve("batch_1"),
                lambda: wrong.batches.create(
                    input_file_id="file-1", endpoint="/v1/chat/completions", completion_window="24h"
                ),
            ):
                with self.assertRaises(AuthenticationError):
                    await settle(ask())
        finally:
            await settle(wrong.close())

    async def test_answers_hold_under_strict_validation(self):
        self.openai = self.open(_strict_response_validation=True)
        ended = await self.wait(await self.submit(write_line("a"), metadata={"k": "v"}))
        failed = await self.wait(await self.submit("{"))
        self.assertEqual((ended.status, failed.status), ("completed", "failed"))
        await settle(self.openai.files.retrieve(ended.output_file_id))
        await settle(self.openai.files.list(limit=2))
        await settle(self.openai.batches.list(limit=2))
        await settle(self.openai.files.delete(ended.output_file_id))


def azure_options(options: dict) -> dict:
    return {"azure_endpoint": root_url, "api_version": "2025-04-01-preview", "api_key": key, **options}


def v1_options(options: dict) -> dict:
    return {"base_url": v1_url, "api_key": key, **options}


class AzureOpenAIBatchChecks(BatchChecks, unittest.IsolatedAsyncioTestCase):
    client = name_client("openai", "AzureOpenAI")

    def open(self, **options):
        return AzureOpenAI(**azure_options(options))

    async def test_a_client_that_is_set_to_one_deployment(self):
        self.openai = self.open(azure_deployment="relay-chat")
        ended = await self.wait(await self.submit(write_line("a"), endpoint="/chat/completions"))
        self.assertEqual((ended.status, ended.request_counts.completed), ("completed", 1))


class OpenAIBatchChecks(BatchChecks, unittest.IsolatedAsyncioTestCase):
    client = name_client("openai", "OpenAI")

    def open(self, **options):
        return OpenAI(**v1_options(options))


class AsyncAzureOpenAIBatchChecks(BatchChecks, unittest.IsolatedAsyncioTestCase):
    client = name_client("openai", "AsyncAzureOpenAI")

    def open(self, **options):
        return AsyncAzureOpenAI(**azure_options(options))


class AsyncOpenAIBatchChecks(BatchChecks, unittest.IsolatedAsyncioTestCase):
    client = name_client("openai", "AsyncOpenAI")

    def open(self, **options):
        return AsyncOpenAI(**v1_options(options))
