"""azure-mgmt-cognitiveservices and azure-mgmt-core, unmodified, against the management API at the root of the host."""

import time
import unittest
import uuid

from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.core.rest import HttpRequest
from azure.identity import ClientSecretCredential
from azure.mgmt.cognitiveservices import CognitiveServicesManagementClient
from azure.mgmt.cognitiveservices import models as m

from surroundings import MANAGEMENT, name_client, root_url

SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"
OWN_GROUP = "default"
MODEL = m.DeploymentModel(format="Ponto", name="builtin-nano", version="1")


class Fixed:
    """Gives the same credential to whoever asks, as a token that does not end."""

    def __init__(self, value: str):
        self.value = value

    def get_token(self, *scopes, **_):
        return AccessToken(self.value, int(time.time()) + 3600)


def open_client(credential, **options) -> CognitiveServicesManagementClient:
    scopes = [f"{root_url}/.default"]
    return CognitiveServicesManagementClient(
        credential, SUBSCRIPTION, base_url=root_url, credential_scopes=scopes, **options
    )


def new_name() -> str:
    return f"py-{uuid.uuid4().hex[:12]}"


class ManagementChecks:
    """What holds whoever asks. `make_credential` says how he shows who he is."""

    @classmethod
    def setUpClass(cls):
        cls.management = open_client(cls.make_credential())
        cls.addClassCleanup(cls.management.close)
        [own] = [one for one in cls.management.accounts.list() if one.id.split("/")[4] == OWN_GROUP]
        cls.account = own.name

    def deploy(self, name: str, capacity=5, **properties) -> m.Deployment:
        body = m.Deployment(
            sku=m.Sku(name="Standard", capacity=capacity),
            properties=m.DeploymentProperties(model=MODEL, **properties),
        )
        poller = self.management.deployments.begin_create_or_update(OWN_GROUP, self.account, name, body)
        return poller.result()

    def test_account_is_made_changed_deleted_restored_and_purged(self):
        group, name = new_name(), new_name()
        self.send("PUT", f"/resourcegroups/{group}", {"location": "eastus"})
        accounts, deleted = self.management.accounts, self.management.deleted_accounts
        body = m.Account(
            location="eastus",
            kind="AIServices",
            sku=m.Sku(name="S0"),
            tags={"team": "a"},
            properties=m.AccountProperties(custom_sub_domain_name=name, public_network_access="Enabled"),
        )
        poller = accounts.begin_create(group, name, body)
        made = poller.result()
        self.assertEqual(poller.status(), "Succeeded")
        self.assertEqual((made.name, made.location, made.kind, made.tags), (name, "eastus", "AIServices", {"team": "a"}))
        self.assertEqual(made.properties.provisioning_state, "Succeeded")
        self.assertTrue(made.properties.endpoint.startswith("https://"))
        self.assertIn("Azure AI Model Inference API", made.properties.endpoints)
        self.assertIsNotNone(made.system_data.created_at)
        changed = accounts.begin_update(group, name, m.Account(tags={"team": "b"})).result()
        self.assertEqual(changed.tags, {"team": "b"})
        self.assertEqual(changed.properties.custom_sub_domain_name, name)
        self.assertEqual([one.name for one in accounts.list_by_resource_group(group)], [name])
        keys = accounts.list_keys(group, name)
        again = accounts.regenerate_key(group, name, "Key1")
        self.assertNotEqual(keys.key1, again.key1)
        self.assertEqual(keys.key2, again.key2)
        accounts.begin_delete(group, name).result()
        with self.assertRaises(ResourceNotFoundError):
            accounts.get(group, name)
        self.assertIn(name, [one.name for one in deleted.list()])
        self.assertIsNotNone(deleted.get("eastus", group, name).properties.deletion_date)
        with self.assertRaises(HttpResponseError) as caught:
            accounts.begin_create(group, name, body).result()
        self.assertEqual(caught.exception.error.code, "FlagMustBeSetForRestore")
        back = m.Account(location="eastus", properties=m.AccountProperties(restore=True))
        self.assertEqual(accounts.begin_create(group, name, back).result().name, name)
        self.assertEqual(accounts.list_keys(group, name).key2, keys.key2)
        accounts.begin_delete(group, name).result()
        deleted.begin_purge("eastus", group, name).result()
        self.assertNotIn(name, [one.name for one in deleted.list()])
        self.send("DELETE", f"/resourcegroups/{group}")

    def test_deployment_is_made_read_listed_changed_and_deleted(self):
        name = new_name()
        deployments = self.management.deployments
        made = self.deploy(name, version_upgrade_option="NoAutoUpgrade")
        self.assertEqual((made.name, made.sku.capacity), (name, 5))
        self.assertEqual(made.properties.provisioning_state, "Succeeded")
        self.assertEqual({limit.key: limit.count for limit in made.properties.rate_limits}, {"request": 5, "token": 5000})
        read = deployments.get(OWN_GROUP, self.account.upper(), name.upper())
        self.assertEqual(read.etag, made.etag)
        self.assertIn(name, [one.name for one in deployments.list(OWN_GROUP, self.account)])
        smaller = m.PatchResourceTagsAndSku(sku=m.Sku(name="Standard", capacity=2), tags={"a": "b"})
        patched = deployments.begin_update(OWN_GROUP, self.account, name, smaller).result()
        self.assertEqual((patched.sku.capacity, patched.tags), (2, {"a": "b"}))
        self.assertEqual(patched.properties.version_upgrade_option, "NoAutoUpgrade")
        self.assertEqual(self.deploy(name, capacity=3).sku.capacity, 3)
        self.assertIn("Standard", [one.sku.name for one in deployments.list_skus(OWN_GROUP, self.account, name)])
        deployments.begin_delete(OWN_GROUP, self.account, name).result()
        with self.assertRaises(ResourceNotFoundError) as caught:
            deployments.get(OWN_GROUP, self.account, name)
        self.assertEqual(caught.exception.error.code, "ResourceNotFound")

    def test_deployments_that_come_at_once_are_all_made(self):
        names = [new_name() for _ in range(4)]
        body = m.Deployment(sku=m.Sku(name="Standard", capacity=1), properties=m.DeploymentProperties(model=MODEL))
        begin = self.management.deployments.begin_create_or_update
        pollers = [begin(OWN_GROUP, self.account, name, body) for name in names]
        self.assertEqual([poller.result().name for poller in pollers], names)
        for poller in [self.management.deployments.begin_delete(OWN_GROUP, self.account, name) for name in names]:
            poller.result()

    def test_policies_and_blocklists(self):
        policy, blocklist = new_name(), new_name()
        place = (OWN_GROUP, self.account)
        lists, items, policies = (
            self.management.rai_blocklists,
            self.management.rai_blocklist_items,
            self.management.rai_policies,
        )
        lists.create_or_update(*place, blocklist, m.RaiBlocklist(properties=m.RaiBlocklistProperties(description="ours")))
        pattern = m.RaiBlocklistItemProperties(pattern="plumbus", is_regex=False)
        item = items.create_or_update(*place, blocklist, "one", m.RaiBlocklistItem(properties=pattern))
        self.assertEqual((item.name, item.properties.pattern), ("one", "plumbus"))
        bulk = [m.RaiBlocklistItemBulkRequest(name=name, properties=pattern) for name in ("two", "three")]
        self.assertEqual(items.batch_add(*place, blocklist, bulk).name, blocklist)
        self.assertEqual(sorted(one.name for one in items.list(*place, blocklist)), ["one", "three", "two"])
        items.batch_delete(*place, blocklist, ["two"])
        items.begin_delete(*place, blocklist, "three").result()
        self.assertEqual([one.name for one in items.list(*place, blocklist)], ["one"])
        body = m.RaiPolicy(
            properties=m.RaiPolicyProperties(
                mode="Asynchronous_filter",
                base_policy_name="Microsoft.DefaultV2",
                content_filters=[
                    m.RaiPolicyContentFilter(
                        name="Violence", severity_threshold="Low", blocking=True, enabled=True, source="Prompt"
                    )
                ],
                custom_blocklists=[m.CustomBlocklistConfig(blocklist_name=blocklist, blocking=True, source="Prompt")],
            )
        )
        made = policies.create_or_update(*place, policy, body)
        self.assertEqual(made.properties.mode, "Asynchronous_filter")
        self.assertEqual(made.properties.content_filters[0].severity_threshold, "Low")
        self.assertEqual(made.properties.custom_blocklists[0].blocklist_name, blocklist)
        self.assertEqual(made.properties.type, "UserManaged")
        names = [one.name for one in policies.list(*place)]
        self.assertIn(policy, names)
        self.assertIn("Microsoft.DefaultV2", names)
        with self.assertRaises(ResourceExistsError) as caught:
            lists.begin_delete(*place, blocklist).result()
        self.assertEqual(caught.exception.error.code, "InUse")
        policies.begin_delete(*place, policy).result()
        lists.begin_delete(*place, blocklist).result()
        with self.assertRaises(ResourceNotFoundError):
            policies.get(*place, policy)

    def test_topics(self):
        place, name = (OWN_GROUP, self.account), new_name()
        body = m.RaiTopic(properties=m.RaiTopicProperties(topic_name=name, description="weather"))
        self.assertEqual(self.management.rai_topics.create_or_update(*place, name, body).properties.description, "weather")
        self.assertIn(name, [one.name for one in self.management.rai_topics.list(*place)])
        self.management.rai_topics.begin_delete(*place, name).result()

    def test_catalog(self):
        management = self.management
        listed = [one.model for one in management.models.list("local") if one.model.name == "gpt-4o"]
        self.assertTrue(any(model.is_default_version for model in listed))
        standard = next(sku for sku in listed[0].skus if sku.name == "GlobalStandard")
        self.assertEqual(standard.capacity.minimum, 1)
        self.assertIn("builtin-nano", [one.name for one in management.accounts.list_models(OWN_GROUP, self.account)])
        self.assertEqual(management.accounts.list_skus(OWN_GROUP, self.account).value[0].sku.name, "S0")
        self.assertIn("AIServices", [one.kind for one in management.resource_skus.list()])
        capacities = list(management.model_capacities.list("OpenAI", "gpt-4o", "2024-08-06"))
        self.assertIn("GlobalStandard", [one.properties.sku_name for one in capacities])
        self.assertTrue(list(management.location_based_model_capacities.list("local", "OpenAI", "gpt-4o", "2024-08-06")))
        names = [one.properties.name for one in management.rai_content_filters.list("local")]
        self.assertIn("Violence", names)
        self.assertTrue(management.rai_content_filters.get("local", "ViolencePrompt").properties.is_multi_level_filter)
        self.assertEqual(management.quota_tiers.get("default").properties.tier_upgrade_policy, "NoAutoUpgrade")
        self.assertIn("Microsoft.CognitiveServices/accounts/read", [one.name for one in management.operations.list()])

    def test_usages(self):
        wanted = "OpenAI.GlobalStandard.conformance-quota"
        usages = {one.name.value: one for one in self.management.usages.list("local")}
        self.assertEqual((usages[wanted].limit, usages[wanted].current_value, usages[wanted].unit), (3, 0, "Count"))
        [found] = self.management.usages.list("local", filter=f"name.value eq '{wanted}'")
        self.assertEqual(found.name.value, wanted)
        self.assertIn(wanted, [one.name.value for one in self.management.accounts.list_usages(OWN_GROUP, self.account).value])

    def test_checks_and_calculation(self):
        kind = "Microsoft.CognitiveServices/accounts"
        found = self.management.check_sku_availability("local", ["S0", "F0"], "AIServices", kind).value
        self.assertEqual([one.sku_available for one in found], [True, False])
        self.assertTrue(self.management.check_domain_availability(new_name(), kind).is_subdomain_available)
        self.assertFalse(self.management.check_domain_availability(self.account, kind).is_subdomain_available)
        tokens = m.ModelCapacityCalculatorWorkloadRequestParam(avg_prompt_tokens=5000, avg_generated_tokens=100)
        workload = m.ModelCapacityCalculatorWorkload(request_per_minute=10, request_parameters=tokens)
        model = m.DeploymentModel(format="OpenAI", name="gpt-4o")
        calculated = self.management.calculate_model_capacity(model, "GlobalProvisionedManaged", [workload])
        # (50,000 + 4 x 1,000) / 2,500 is 21.6, in steps of 5.
        self.assertEqual(calculated.estimated_capacity.value, 25)

    def test_errors(self):
        deployments = self.management.deployments
        cases = (
            (m.Deployment(properties=m.DeploymentProperties(model=m.DeploymentModel(name="gpt-4o"))), "InvalidModel"),
            (m.Deployment(sku=m.Sku(name="Nope"), properties=m.DeploymentProperties(model=MODEL)), "InvalidResourceProperties"),
            (m.Deployment(properties=m.DeploymentProperties(model=MODEL, rai_policy_name="none")), "InvalidRaiPolicy"),
        )
        for body, code in cases:
            with self.subTest(code), self.assertRaises(HttpResponseError) as caught:
                deployments.begin_create_or_update(OWN_GROUP, self.account, new_name(), body).result()
            self.assertEqual((caught.exception.status_code, caught.exception.error.code), (400, code))
        with self.assertRaises(ResourceNotFoundError) as caught:
            deployments.get("no-such-group", "no-such-account", "none")
        self.assertEqual(caught.exception.error.code, "ResourceGroupNotFound")
        with self.assertRaises(ResourceNotFoundError) as caught:
            deployments.get(OWN_GROUP, "no-such-account", "none")
        self.assertEqual(caught.exception.error.code, "ResourceNotFound")
        with open_client(self.make_credential(), api_version="2099-01-01") as future:
            with self.assertRaises(HttpResponseError) as caught:
                list(future.accounts.list())
            self.assertEqual(caught.exception.error.code, "InvalidApiVersionParameter")
            self.assertIn("2026-07-01", str(caught.exception))

    def test_conditions(self):
        name = new_name()
        made = self.deploy(name)
        body = m.Deployment(sku=m.Sku(name="Standard", capacity=1), properties=m.DeploymentProperties(model=MODEL))
        begin = self.management.deployments.begin_create_or_update
        with self.assertRaises(HttpResponseError) as caught:
            begin(OWN_GROUP, self.account, name, body, headers={"If-None-Match": "*"}).result()
        self.assertEqual(caught.exception.status_code, 412)
        begin(OWN_GROUP, self.account, name, body, headers={"If-Match": made.etag}).result()
        with self.assertRaises(HttpResponseError) as caught:
            begin(OWN_GROUP, self.account, name, body, headers={"If-Match": made.etag}).result()
        self.assertEqual(caught.exception.status_code, 412)
        self.management.deployments.begin_delete(OWN_GROUP, self.account, name).result()

    def test_every_version_of_the_api(self):
        for version in ("2021-10-01", "2022-12-01", "2023-05-01", "2024-04-01-preview", "2024-10-01", "2026-05-15-preview", "2026-07-01"):
            with self.subTest(version), open_client(self.make_credential(), api_version=version) as management:
                self.assertIn(self.account, [one.name for one in management.accounts.list()])
                self.assertTrue(list(management.rai_policies.list(OWN_GROUP, self.account)))

    def send(self, method: str, path: str, body=None):
        """What this client has no method for goes through its own pipeline."""
        url = f"/subscriptions/{SUBSCRIPTION}{path}"
        request = HttpRequest(method, f"{root_url}{url}", params={"api-version": "2022-09-01"}, json=body)
        response = self.management._client.send_request(request)
        response.raise_for_status()
        return response


class ManagementCredentialChecks(ManagementChecks, unittest.TestCase):
    client = name_client("azure-mgmt-cognitiveservices", "management credential")

    @staticmethod
    def make_credential():
        return Fixed(MANAGEMENT["credential"])

    def test_others_are_refused(self):
        for value, error in (("wrong", ClientAuthenticationError), (MANAGEMENT["key"], HttpResponseError)):
            with open_client(Fixed(value)) as other, self.assertRaises(error) as caught:
                list(other.accounts.list())
            self.assertIn(caught.exception.status_code, (401, 403))


@unittest.skipUnless(MANAGEMENT["client_id"], "the server has no service principal")
class ServerTokenChecks(ManagementChecks, unittest.TestCase):
    """On a token of the server's own endpoint, which azure-identity gets with a client secret."""

    client = name_client("azure-mgmt-cognitiveservices", "own token")

    @staticmethod
    def make_credential():
        return ClientSecretCredential(
            MANAGEMENT["tenant_id"],
            MANAGEMENT["client_id"],
            MANAGEMENT["client_secret"],
            authority=root_url,
            disable_instance_discovery=True,
        )


@unittest.skipUnless(MANAGEMENT["issuer_token"], "the server trusts no other issuer")
class IssuerTokenChecks(ManagementChecks, unittest.TestCase):
    """On a token of an issuer that the configuration file trusts."""

    client = name_client("azure-mgmt-cognitiveservices", "token of an issuer")

    @staticmethod
    def make_credential():
        return Fixed(MANAGEMENT["issuer_token"])
