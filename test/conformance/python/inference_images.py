"""azure-ai-inference for Python, ImageEmbeddingsClient, sync and async."""

import base64
import os
import tempfile
import unittest

from azure.ai.inference import ImageEmbeddingsClient
from azure.ai.inference.aio import ImageEmbeddingsClient as AsyncImageEmbeddingsClient
from azure.core.credentials import AzureKeyCredential
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError

from surroundings import inference_url, key, name_client

try:
    from azure.ai.inference.models import ImageEmbeddingInput
except ImportError:
    # Its name in the older generation.
    from azure.ai.inference.models import EmbeddingInput as ImageEmbeddingInput

IMAGE = bytes(range(256)) * 40
URL = f"data:image/png;base64,{base64.b64encode(IMAGE).decode()}"
# What the upstream makes of it: the lengths of image and text.
VECTORS = [[len(URL), 0, 0.25, -1.5], [len(URL), 3, 0.25, -1.5]]


def load_image(text: str | None = None) -> ImageEmbeddingInput:
    if not hasattr(ImageEmbeddingInput, "load"):
        return ImageEmbeddingInput(image=URL, text=text)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "cat.png")
        with open(path, "wb") as file:
            file.write(IMAGE)
        image = ImageEmbeddingInput.load(image_file=path, image_format="png")
    return ImageEmbeddingInput(image=image.image, text=text) if text else image


def open_client(secret: str = key, **options) -> ImageEmbeddingsClient:
    return ImageEmbeddingsClient(endpoint=inference_url, credential=AzureKeyCredential(secret), **options)


class ImageEmbeddingsChecks(unittest.TestCase):
    client = name_client("azure-ai-inference", "image embeddings")

    def setUp(self):
        self.embeddings = open_client()
        self.addCleanup(self.embeddings.close)

    def test_images_and_texts(self):
        for model in ("relay-foundry", "RELAY-FOUNDRY"):
            with self.subTest(model=model):
                answer = self.embeddings.embed(input=[load_image(), load_image("cat")], model=model, dimensions=4)
                self.assertEqual([item.embedding for item in answer.data], VECTORS)
                self.assertEqual(answer.usage.prompt_tokens, 7)
                self.assertTrue(answer.id)

    def test_model_set_on_the_client(self):
        with open_client(model="relay-foundry", input_type="query") as embeddings:
            answer = embeddings.embed(input=[load_image()])
            self.assertEqual(answer.data[0].embedding, VECTORS[0])

    def test_fields_that_the_api_does_not_know(self):
        answer = self.embeddings.embed(input=[load_image()], model="relay-foundry", model_extras={"truncate": True})
        self.assertEqual(answer.data[0].embedding, VECTORS[0])

    def test_image_that_is_no_data_url(self):
        with self.assertRaises(HttpResponseError) as caught:
            image = ImageEmbeddingInput(image="https://example.com/cat.png")
            self.embeddings.embed(input=[image], model="relay-foundry")
        self.assertEqual(caught.exception.status_code, 400)
        self.assertIn("input[0].image", caught.exception.message)

    def test_models_that_cannot(self):
        for model in ("mistral-large", "relay-chat"):
            with self.subTest(model=model), self.assertRaises(HttpResponseError) as caught:
                self.embeddings.embed(input=[load_image()], model=model)
            self.assertEqual((caught.exception.status_code, caught.exception.error.code), (400, "OperationNotSupported"))

    def test_wrong_key(self):
        with open_client("wrong") as embeddings, self.assertRaises(ClientAuthenticationError):
            embeddings.embed(input=[load_image()], model="relay-foundry")

    def test_unknown_model(self):
        with self.assertRaises(HttpResponseError) as caught:
            self.embeddings.embed(input=[load_image()], model="nothing-like-it")
        self.assertEqual((caught.exception.status_code, caught.exception.error.code), (400, "unknown_model"))


class AsyncImageEmbeddingsChecks(unittest.IsolatedAsyncioTestCase):
    client = name_client("azure-ai-inference", "image embeddings async")

    async def test_images_and_texts(self):
        credential = AzureKeyCredential(key)
        async with AsyncImageEmbeddingsClient(endpoint=inference_url, credential=credential) as embeddings:
            answer = await embeddings.embed(input=[load_image(), load_image("cat")], model="relay-foundry")
        self.assertEqual([item.embedding for item in answer.data], VECTORS)
