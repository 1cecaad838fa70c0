"""azure-ai-inference for Python with its tracing on: all that the clients see without it, and the spans."""

from azure.ai.inference.tracing import AIInferenceInstrumentor
from azure.core.settings import settings
from azure.core.tracing.ext.opentelemetry_span import OpenTelemetrySpan  # noqa: F401: what the setting names
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import inference_async
import inference_chat
from surroundings import QUESTION, name_client

_spans = InMemorySpanExporter()
_provider = TracerProvider()
_provider.add_span_processor(SimpleSpanProcessor(_spans))
trace.set_tracer_provider(_provider)


class Tracing:
    @classmethod
    def setUpClass(cls):
        settings.tracing_implementation = "opentelemetry"
        AIInferenceInstrumentor().instrument(enable_content_recording=True)

    @classmethod
    def tearDownClass(cls):
        AIInferenceInstrumentor().uninstrument()
        settings.tracing_implementation = None

    def setUp(self):
        super().setUp()
        _spans.clear()

    def find_span(self, name: str) -> dict:
        [span] = [span for span in _spans.get_finished_spans() if span.name == name]
        return dict(span.attributes)

    def check_span(self, name: str):
        attributes = self.find_span(name)
        self.assertEqual(attributes["gen_ai.response.model"], "served-2024-08-06")
        self.assertEqual(tuple(attributes["gen_ai.response.finish_reasons"]), ("stop",))
        self.assertEqual((attributes["gen_ai.usage.input_tokens"], attributes["gen_ai.usage.output_tokens"]), (7, 5))
        self.assertTrue(attributes["gen_ai.response.id"])


class TracedChatChecks(Tracing, inference_chat.ChatChecks):
    client = name_client("azure-ai-inference", "chat traced")

    def test_span_of_a_whole_answer(self):
        for model in ("relay-chat", "relay-azure", "relay-foundry"):
            with self.subTest(model=model):
                self.chat.complete(messages=inference_chat.ask(QUESTION), model=model)
                self.check_span(f"chat {model}")

    def test_span_of_a_stream(self):
        for model in ("relay-chat", "relay-azure", "relay-foundry"):
            with self.subTest(model=model):
                list(self.chat.complete(messages=inference_chat.ask(QUESTION), model=model, stream=True))
                self.check_span(f"chat {model}")

    def test_span_of_tools_streamed(self):
        options = {"model": "relay-tools", "tools": [inference_chat.weather_tool], "stream": True}
        list(self.chat.complete(messages=inference_chat.ask("Weather?"), **options))
        attributes = self.find_span("chat relay-tools")
        self.assertEqual(tuple(attributes["gen_ai.response.finish_reasons"]), ("tool_calls",))


class TracedAsyncChatChecks(Tracing, inference_async.AsyncChatChecks):
    client = name_client("azure-ai-inference", "chat async traced")

    async def test_span_of_a_stream(self):
        for model in ("relay-chat", "relay-azure", "relay-foundry"):
            with self.subTest(model=model):
                await self.collect(messages=inference_async.ask(QUESTION), model=model)
                self.check_span(f"chat {model}")
