"""azure-identity, unmodified, against the server's own token endpoints, and the clients that take its tokens."""

import os
import unittest
from unittest.mock import patch

from azure.ai.inference import ChatCompletionsClient
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError
from azure.identity import (
    ClientSecretCredential,
    DefaultAzureCredential,
    ManagedIdentityCredential,
    get_bearer_token_provider,
)
from openai import AuthenticationError, AzureOpenAI, OpenAI

from surroundings import MANAGEMENT, QUESTION, inference_url, name_client, root_url, user, v1_url

SCOPE = "https://cognitiveservices.azure.com/.default"
SECRET = MANAGEMENT["client_secret"]

managed_identity = {"IDENTITY_ENDPOINT": f"{root_url}/msi/token", "IDENTITY_HEADER": SECRET}
environment = {
    "AZURE_AUTHORITY_HOST": root_url,
    "AZURE_TENANT_ID": MANAGEMENT["tenant_id"],
    "AZURE_CLIENT_ID": MANAGEMENT["client_id"],
    "AZURE_CLIENT_SECRET": SECRET,
}


def by_secret(secret: str = SECRET, **options) -> ClientSecretCredential:
    return ClientSecretCredential(
        MANAGEMENT["tenant_id"],
        MANAGEMENT["client_id"],
        secret,
        authority=root_url,
        disable_instance_discovery=True,
        **options,
    )


class CredentialChecks:
    """What each way to a token is good for."""

    def open(self):
        raise NotImplementedError

    def set_environment(self, variables: dict):
        patcher = patch.dict(os.environ, variables)
        patcher.start()
        self.addCleanup(patcher.stop)

    def setUp(self):
        self.credential = self.open()
        self.addCleanup(self.credential.close)

    def test_token_is_for_an_hour_and_kept(self):
        first, second = self.credential.get_token(SCOPE), self.credential.get_token(SCOPE)
        self.assertEqual(first.token, second.token)
        self.assertGreater(first.expires_on, 0)

    def test_azure_ai_inference(self):
        for options in ({"credential_scopes": [SCOPE]}, {}):
            with ChatCompletionsClient(inference_url, self.credential, **options) as client:
                answer = client.complete(model="Relay-Chat", messages=[user(QUESTION)])
                self.assertEqual(answer.choices[0].message.content, f"Echo: {QUESTION}")

    def test_openai_on_both_surfaces(self):
        provider = get_bearer_token_provider(self.credential, SCOPE)
        azure = AzureOpenAI(azure_endpoint=root_url, api_version="2024-10-21", azure_ad_token_provider=provider)
        newer = get_bearer_token_provider(self.credential, "https://ai.azure.com/.default")
        v1 = OpenAI(base_url=v1_url, api_key=newer)
        for client in (azure, v1):
            with client:
                answer = client.chat.completions.create(model="Relay-Chat", messages=[user(QUESTION)])
                self.assertEqual(answer.choices[0].message.content, f"Echo: {QUESTION}")

    def test_token_of_management_is_none_of_the_data_plane(self):
        provider = get_bearer_token_provider(self.credential, "https://management.azure.com/.default")
        with AzureOpenAI(
            azure_endpoint=root_url, api_version="2024-10-21", azure_ad_token_provider=provider, max_retries=0
        ) as client:
            with self.assertRaisesRegex(AuthenticationError, "ask for the scope"):
                client.chat.completions.create(model="Relay-Chat", messages=[user(QUESTION)])

    def test_scope_that_nobody_serves_is_refused(self):
        with self.assertRaisesRegex(ClientAuthenticationError, "500011|issues tokens for"):
            self.credential.get_token("https://graph.example/.default")


class ClientSecretCredentialChecks(CredentialChecks, unittest.TestCase):
    client = name_client("azure-identity", "ClientSecretCredential")

    def open(self):
        return by_secret()

    def test_wrong_secret_is_told_as_such(self):
        with by_secret("wrong") as credential:
            with self.assertRaisesRegex(ClientAuthenticationError, "AADSTS7000215"):
                credential.get_token(SCOPE)

    def test_resource_key_gets_no_token(self):
        with by_secret(MANAGEMENT["key"]) as credential:
            with self.assertRaises(ClientAuthenticationError):
                credential.get_token(SCOPE)

    def test_token_with_a_letter_changed_is_refused(self):
        token = self.credential.get_token(SCOPE).token
        changed = token[:-10] + ("A" if token[-10] != "A" else "B") + token[-9:]
        with AzureOpenAI(
            azure_endpoint=root_url, api_version="2024-10-21", azure_ad_token=changed, max_retries=0
        ) as client:
            with self.assertRaises(AuthenticationError):
                client.chat.completions.create(model="Relay-Chat", messages=[user(QUESTION)])


class ManagedIdentityCredentialChecks(CredentialChecks, unittest.TestCase):
    client = name_client("azure-identity", "ManagedIdentityCredential")

    def open(self):
        self.set_environment(managed_identity)
        return ManagedIdentityCredential()

    def test_identity_named_by_its_client_id(self):
        with ManagedIdentityCredential(client_id=MANAGEMENT["client_id"]) as credential:
            self.assertTrue(credential.get_token(SCOPE).token)

    def test_wrong_header_is_refused(self):
        with patch.dict(os.environ, {"IDENTITY_HEADER": "wrong"}), ManagedIdentityCredential() as credential:
            with self.assertRaises((ClientAuthenticationError, HttpResponseError)):
                credential.get_token(SCOPE)


class DefaultAzureCredentialChecks(CredentialChecks, unittest.TestCase):
    client = name_client("azure-identity", "DefaultAzureCredential")

    def open(self):
        self.set_environment(managed_identity)
        return DefaultAzureCredential()


class DefaultAzureCredentialFromEnvironmentChecks(CredentialChecks, unittest.TestCase):
    client = name_client("azure-identity", "DefaultAzureCredential, client secret")

    def open(self):
        self.set_environment(environment)
        return DefaultAzureCredential(disable_instance_discovery=True)


if __name__ == "__main__":
    unittest.main()
