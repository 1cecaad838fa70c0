"""openai for Python: chats that are stored, with both of its clients."""

import unittest

from openai import AzureOpenAI, BadRequestError, NotFoundError, OpenAI

from surroundings import QUESTION, join_text, key, list_seen, name_client, new_mark, root_url, user, v1_url


class StoredChecks:
    def open(self, **options):
        raise NotImplementedError

    def setUp(self):
        self.openai = self.open()
        self.addCleanup(self.openai.close)
        self.stored = self.openai.chat.completions

    def store(self, mark: str, text: str = QUESTION, **options):
        options = {"model": "mistral-large", "max_tokens": 8, "messages": [user(text)], **options}
        return self.stored.create(store=True, metadata={"mark": mark}, **options)

    def test_stored_chat_is_found(self):
        answer = self.store(new_mark(), temperature=0.5, user="somebody")
        found = self.stored.retrieve(answer.id)
        self.assertEqual((found.id, found.model, found.created), (answer.id, answer.model, answer.created))
        self.assertEqual((found.choices, found.usage), (answer.choices, answer.usage))
        self.assertEqual((found.temperature, found.input_user), (0.5, "somebody"))

    def test_stored_stream_is_found_as_one_answer(self):
        # The first chunk annotates the prompt, and has no id.
        _, *chunks = self.store(new_mark(), stream=True)
        found = self.stored.retrieve(chunks[0].id)
        self.assertEqual(found.object, "chat.completion")
        self.assertEqual(found.choices[0].message.content, join_text(chunks))
        self.assertEqual(found.usage.total_tokens, found.usage.prompt_tokens + found.usage.completion_tokens)

    def test_relayed_chat_is_stored_here_alone(self):
        for stream in (False, True):
            mark, text = new_mark(), new_mark()
            answer = self.store(mark, text, model="relay-chat", stream=stream)
            if stream:
                list(answer)
            [found] = self.stored.list(metadata={"mark": mark})
            self.assertEqual(found.choices[0].message.content, f"Echo: {text}")
            [seen] = list_seen(text)
            self.assertNotIn("store", seen["body"])
            self.assertNotIn("metadata", seen["body"])

    def test_what_is_not_to_be_stored_is_not(self):
        answer = self.stored.create(model="mistral-large", max_tokens=8, messages=[user("hi")], store=False)
        with self.assertRaises(NotFoundError):
            self.stored.retrieve(answer.id)

    def test_pages(self):
        mark = new_mark()
        ids = [self.store(mark).id for _ in range(5)]
        page = self.stored.list(metadata={"mark": mark}, limit=2)
        self.assertEqual(([item.id for item in page.data], page.has_more), (ids[:2], True))
        self.assertEqual([item.id for item in page], ids)
        backwards = self.stored.list(metadata={"mark": mark}, limit=2, order="desc", model="mistral-large")
        self.assertEqual([item.id for item in backwards], ids[::-1])
        self.assertEqual([item.id for item in self.stored.list(metadata={"mark": mark}, after=ids[2])], ids[3:])
        self.assertEqual(list(self.stored.list(metadata={"mark": mark}, model="relay-chat")), [])

    def test_deleting_while_paging(self):
        mark = new_mark()
        ids = [self.store(mark).id for _ in range(5)]
        for item in self.stored.list(metadata={"mark": mark}, limit=2):
            deleted = self.stored.delete(item.id)
            self.assertEqual((deleted.id, deleted.deleted, deleted.object), (ids.pop(0), True, "chat.completion.deleted"))
        self.assertEqual(ids, [])
        self.assertEqual(list(self.stored.list(metadata={"mark": mark})), [])

    def test_update(self):
        mark, other = new_mark(), new_mark()
        answer = self.store(mark)
        self.assertEqual(self.stored.update(answer.id, metadata={"mark": other}).metadata, {"mark": other})
        self.assertEqual(list(self.stored.list(metadata={"mark": mark})), [])
        self.assertEqual([item.id for item in self.stored.list(metadata={"mark": other})], [answer.id])
        with self.assertRaises(BadRequestError) as caught:
            self.stored.update(answer.id, metadata={"k": "v" * 513})
        self.assertEqual(caught.exception.param, "metadata.k")

    def test_messages(self):
        messages = [{"role": "system", "content": "Be brief."}, user("one"), user([{"type": "text", "text": "two"}])]
        answer = self.store(new_mark(), messages=messages)
        found = list(self.stored.messages.list(answer.id, limit=2))
        self.assertEqual([message.id for message in found], [f"{answer.id}-{index}" for index in range(3)])
        self.assertEqual([message.content for message in found], ["Be brief.", "one", None])
        self.assertEqual(found[2].content_parts[0].text, "two")
        [last] = self.stored.messages.list(answer.id, order="desc", limit=1).data
        self.assertEqual(last.id, f"{answer.id}-2")

    def test_answers_hold_under_strict_validation(self):
        answer = self.store(new_mark())
        with self.open(_strict_response_validation=True) as openai:
            stored = openai.chat.completions
            stored.retrieve(answer.id)
            stored.update(answer.id, metadata={"k": "v"})
            self.assertTrue(list(stored.list(metadata={"k": "v"}, limit=1)))
            stored.delete(answer.id)


class AzureOpenAIStoredChecks(StoredChecks, unittest.TestCase):
    client = name_client("openai", "AzureOpenAI")

    def open(self, **options):
        options = {"azure_endpoint": root_url, "api_version": "2025-02-01-preview", "api_key": key, **options}
        return AzureOpenAI(**options)

    def test_the_list_says_how_many_there_are(self):
        mark = new_mark()
        for _ in range(2):
            self.store(mark)
        page = self.stored.list(metadata={"mark": mark}, limit=1)
        self.assertEqual(page.total, 2)


class OpenAIStoredChecks(StoredChecks, unittest.TestCase):
    client = name_client("openai", "OpenAI")

    def open(self, **options):
        return OpenAI(**{"base_url": v1_url, "api_key": key, **options})
