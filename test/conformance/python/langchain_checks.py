"""langchain-openai: AzureChatOpenAI, AzureOpenAI and AzureOpenAIEmbeddings."""

import unittest

from vocabulary import offer_vocabulary

offer_vocabulary()

import tiktoken  # noqa: E402
from langchain_core.exceptions import ContextOverflowError  # noqa: E402
from langchain_core.messages import HumanMessage, SystemMessage  # noqa: E402
from langchain_core.tools import tool  # noqa: E402
from langchain_openai import AzureChatOpenAI, AzureOpenAI, AzureOpenAIEmbeddings  # noqa: E402
from openai import AuthenticationError, BadRequestError, NotFoundError, RateLimitError  # noqa: E402

from surroundings import (  # noqa: E402
    ASKED_TERM,
    MODELS,
    QUESTION,
    RETRY_AFTER_MS,
    RIEMANN,
    SAID_TERM,
    VECTORS,
    list_seen,
    name_client,
    new_mark,
    release,
)


def open_chat(deployment: str, **options) -> AzureChatOpenAI:
    return AzureChatOpenAI(azure_deployment=deployment, **options)


def join_text(chunks: list) -> str:
    return "".join(chunk.content for chunk in chunks)


@tool
def get_weather(city: str) -> str:
    """The weather in a city."""
    return f"sunny in {city}"


class ChatChecks(unittest.IsolatedAsyncioTestCase):
    client = name_client("langchain-openai", "AzureChatOpenAI")

    def test_whole(self):
        for deployment in MODELS:
            with self.subTest(deployment=deployment):
                messages = [SystemMessage("Be brief."), HumanMessage(QUESTION)]
                answer = open_chat(deployment).invoke(messages)
                self.assertEqual(answer.content, f"Echo: {QUESTION}")
                self.assertEqual(answer.usage_metadata["total_tokens"], 12)
                self.assertEqual(answer.response_metadata["finish_reason"], "stop")
                self.assertEqual(answer.response_metadata["model_name"], "served-2024-08-06")

    def test_stream(self):
        for deployment in MODELS:
            with self.subTest(deployment=deployment):
                chunks = list(open_chat(deployment).stream(QUESTION))
                self.assertEqual(join_text(chunks), f"Echo: {QUESTION}")
                whole = sum(chunks[1:], chunks[0])
                self.assertEqual(whole.usage_metadata["total_tokens"], 12)
                self.assertEqual(whole.response_metadata["finish_reason"], "stop")

    async def test_asynchronous(self):
        chat = open_chat("relay-chat")
        self.addAsyncCleanup(chat.root_async_client.close)
        self.assertEqual((await chat.ainvoke(QUESTION)).content, f"Echo: {QUESTION}")
        self.assertEqual(join_text([chunk async for chunk in chat.astream(QUESTION)]), f"Echo: {QUESTION}")

    def test_annotations_of_a_filter(self):
        metadata = open_chat("filter-annotating").invoke(SAID_TERM).response_metadata
        self.assertEqual(metadata["prompt_filter_results"][0]["content_filter_results"]["hate"]["severity"], "safe")
        self.assertEqual(metadata["content_filter_results"]["custom_blocklists"]["details"][0]["id"], "said-terms")

    def test_prompt_that_a_filter_keeps_back(self):
        with self.assertRaises(BadRequestError) as caught:
            open_chat("filter-blocking").invoke(ASKED_TERM)
        self.assertEqual(caught.exception.code, "content_filter")

    def test_answer_that_a_filter_keeps_back(self):
        with self.assertRaisesRegex(ValueError, "content filter"):
            open_chat("filter-blocking").invoke(SAID_TERM)
        chunks = list(open_chat("filter-blocking").stream(f"before {SAID_TERM} after"))
        self.assertEqual(join_text(chunks), "Echo: before ")
        reasons = [chunk.response_metadata.get("finish_reason") for chunk in chunks]
        self.assertIn("content_filter", reasons)

    def test_stream_is_passed_on_while_the_upstream_still_writes(self):
        mark = new_mark()
        chunks = []
        for chunk in open_chat("relay-gated").stream(mark):
            chunks.append(chunk)
            if join_text(chunks):
                release(mark)
        self.assertEqual(join_text(chunks), f"Echo: {mark}")

    def test_deployment_decides_whatever_model_the_client_names(self):
        mark = new_mark()
        open_chat("relay-chat", model="gpt-4o").invoke(mark)
        self.assertEqual(list_seen(mark)[0]["body"]["model"], "plain")

    def test_tools(self):
        chat = open_chat("relay-tools").bind_tools([get_weather])
        messages = [HumanMessage("Weather in Paris?")]
        answer = chat.invoke(messages)
        [call] = answer.tool_calls
        self.assertEqual((call["name"], call["args"]), ("get_weather", {"city": "Paris"}))
        result = get_weather.invoke(call)
        self.assertEqual(chat.invoke([*messages, answer, result]).content, "Echo: sunny in Paris")

    def test_tools_streamed(self):
        chunks = list(open_chat("relay-tools").bind_tools([get_weather]).stream("Weather in Paris?"))
        [call] = sum(chunks[1:], chunks[0]).tool_calls
        self.assertEqual((call["id"], call["args"]), ("call_1", {"city": "Paris"}))

    def test_structured_output_reaches_the_upstream(self):
        mark = new_mark()
        schema = {"title": "answer", "type": "object", "properties": {"city": {"type": "string"}}}
        open_chat("relay-chat").with_structured_output(schema, include_raw=True).invoke(mark)
        response_format = list_seen(mark)[0]["body"]["response_format"]
        self.assertEqual((response_format["type"], response_format["json_schema"]["name"]), ("json_schema", "answer"))

    def test_wrong_key(self):
        with self.assertRaises(AuthenticationError):
            open_chat("relay-chat", api_key="wrong").invoke("hi")

    def test_unknown_deployment(self):
        for ask in (lambda chat: chat.invoke("hi"), lambda chat: list(chat.stream("hi"))):
            with self.assertRaises(NotFoundError) as caught:
                ask(open_chat("relay-chatt"))
            self.assertEqual(caught.exception.code, "DeploymentNotFound")
            self.assertIn("'Relay-Chat'", caught.exception.message)

    def test_bad_field(self):
        with self.assertRaises(BadRequestError) as caught:
            open_chat("relay-chat").invoke("hi", top_p="high")
        self.assertEqual(caught.exception.param, "top_p")

    def test_refusal_of_the_upstream_keeps_the_code_that_the_framework_knows(self):
        with self.assertRaises(ContextOverflowError):
            open_chat("relay-refusing").invoke("hi")

    def test_429_is_waited_for_by_the_client(self):
        mark = new_mark()
        self.assertEqual(open_chat("relay-limited").invoke(mark).content, f"Echo: {mark}")
        first, second = list_seen(mark)
        self.assertGreaterEqual(second["receivedAtMs"] - first["receivedAtMs"], RETRY_AFTER_MS)

    def test_429_says_when_to_come_back(self):
        with self.assertRaises(RateLimitError) as caught:
            open_chat("relay-limited", max_retries=0).invoke(new_mark())
        self.assertEqual(caught.exception.response.headers["retry-after-ms"], str(RETRY_AFTER_MS))

    def test_stream_that_is_cut_off(self):
        chunks = []
        with self.assertRaises(Exception) as caught:
            for chunk in open_chat("relay-cut", max_retries=0).stream(new_mark()):
                chunks.append(chunk)
        self.assertEqual(join_text(chunks), "Echo:")
        self.assertNotIsInstance(caught.exception, AssertionError)

    def test_closing_a_stream_ends_that_of_the_upstream(self):
        mark = new_mark()
        stream = open_chat("relay-endless").stream(mark)
        next(stream)
        stream.close()
        self.assertFalse(list_seen(mark)[0]["isWhole"])

    def test_built_in_model(self):
        chat = open_chat("MISTRAL-LARGE", temperature=0, max_tokens=40)
        answer = chat.invoke(RIEMANN)
        self.assertGreater(len(answer.content), 20)
        self.assertEqual(join_text(list(chat.stream(RIEMANN))), answer.content)


class CompletionChecks(unittest.TestCase):
    client = name_client("langchain-openai", "AzureOpenAI")

    def test_whole(self):
        self.assertEqual(AzureOpenAI(azure_deployment="relay-chat").invoke(QUESTION), f"Echo: {QUESTION}")

    def test_stream(self):
        chunks = list(AzureOpenAI(azure_deployment="relay-chat").stream(QUESTION))
        self.assertEqual("".join(chunks), f"Echo: {QUESTION}")


class EmbeddingsChecks(unittest.IsolatedAsyncioTestCase):
    """By default the class sends token ids of cl100k_base in place of texts."""

    client = name_client("langchain-openai", "AzureOpenAIEmbeddings")

    def open(self, deployment: str, **options) -> AzureOpenAIEmbeddings:
        return AzureOpenAIEmbeddings(azure_deployment=deployment, **options)

    def test_documents(self):
        for deployment in ("Relay-Chat", "RELAY-CHAT", "relay-floats", "relay-foundry"):
            with self.subTest(deployment=deployment):
                self.assertEqual(self.open(deployment).embed_documents(["one", "three"]), VECTORS)

    def test_query(self):
        self.assertEqual(self.open("relay-chat").embed_query("one"), VECTORS[0])

    async def test_asynchronous(self):
        embeddings = self.open("relay-chat")
        self.addAsyncCleanup(embeddings.async_client._client.close)
        self.assertEqual(await embeddings.aembed_documents(["one", "three"]), VECTORS)

    def test_texts_instead_of_token_ids(self):
        embeddings = self.open("relay-chat", check_embedding_ctx_length=False)
        self.assertEqual(embeddings.embed_documents(["one", "three"]), VECTORS)

    def test_token_ids_become_text_for_an_upstream_that_does_not_know_them(self):
        for deployment in ("relay-chat", "relay-foundry"):
            with self.subTest(deployment=deployment):
                texts = [f"{QUESTION} {new_mark()}", "second"]
                self.open(deployment).embed_documents(texts)
                [seen] = list_seen(texts[0].split()[-1])
                self.assertEqual(seen["body"]["input"], texts)

    def test_token_ids_stay_for_azure_openai(self):
        tokens = tiktoken.get_encoding("cl100k_base").encode(QUESTION)
        [vector] = self.open("relay-azure").embed_documents([QUESTION])
        # The upstream's vectors begin with the length of what it was given.
        self.assertEqual(vector[0], len(tokens))
        self.assertNotEqual(len(tokens), len(QUESTION))

    def test_wrong_key(self):
        with self.assertRaises(AuthenticationError):
            self.open("relay-chat", api_key="wrong").embed_query("one")

    def test_unknown_deployment(self):
        with self.assertRaises(NotFoundError) as caught:
            self.open("relay-chatt").embed_query("one")
        self.assertEqual(caught.exception.code, "DeploymentNotFound")

    def test_built_in_model(self):
        embeddings = self.open("mistral-large")
        by_tokens = embeddings.embed_documents([QUESTION, "Taxes are due in April."])
        texts = self.open("mistral-large", check_embedding_ctx_length=False)
        by_text = texts.embed_documents([QUESTION, "Taxes are due in April."])
        for one, other in zip(by_tokens, by_text, strict=True):
            for a, b in zip(one, other, strict=True):
                self.assertAlmostEqual(a, b, places=5)
        self.assertNotEqual(by_text[0], by_text[1])
