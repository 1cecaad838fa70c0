package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	cognitive "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/cognitiveservices/armcognitiveservices"
)

const (
	subscription = "00000000-0000-0000-0000-000000000000"
	ownGroup     = "default"
)

// surroundings of the management clients: where the server's own cloud is.
var ownCloud = cloud.Configuration{
	ActiveDirectoryAuthorityHost: rootURL,
	Services: map[cloud.ServiceName]cloud.ServiceConfiguration{
		cloud.ResourceManager: {Endpoint: rootURL, Audience: rootURL},
	},
}

// fixed gives the same credential to whoever asks, as a token that does not end.
type fixed string

func (value fixed) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{Token: string(value), ExpiresOn: time.Now().Add(time.Hour)}, nil
}

func managementCredential() azcore.TokenCredential {
	return fixed(os.Getenv("CONFORMANCE_MANAGEMENT_CREDENTIAL"))
}

// ownToken gets tokens from the server itself, nil where it knows no service principal.
func ownToken() azcore.TokenCredential {
	id := os.Getenv("CONFORMANCE_CLIENT_ID")
	if id == "" {
		return nil
	}
	options := azidentity.ClientSecretCredentialOptions{
		ClientOptions:            policy.ClientOptions{Cloud: ownCloud},
		DisableInstanceDiscovery: true,
	}
	tenant, secret := os.Getenv("CONFORMANCE_TENANT_ID"), os.Getenv("CONFORMANCE_CLIENT_SECRET")
	credential, err := azidentity.NewClientSecretCredential(tenant, id, secret, &options)
	if err != nil {
		panic(err)
	}
	return credential
}

// issuerToken is of an issuer that the configuration file trusts, nil where there is none.
func issuerToken() azcore.TokenCredential {
	token := os.Getenv("CONFORMANCE_ISSUER_TOKEN")
	if token == "" {
		return nil
	}
	return fixed(token)
}

// listManagementSuites has a suite for each way to show who one is.
func listManagementSuites() []suiteOf {
	const module = "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/cognitiveservices/armcognitiveservices"
	var suites []suiteOf
	for _, way := range []struct {
		title      string
		credential azcore.TokenCredential
	}{
		{"management credential", managementCredential()},
		{"own token", ownToken()},
		{"token of an issuer", issuerToken()},
	} {
		if way.credential != nil {
			name := nameClient(module, "armcognitiveservices, "+way.title+",")
			suites = append(suites, suiteOf{name, append(listManagement(way.credential), listStrangers()...)})
		}
	}
	return suites
}

type management struct {
	*cognitive.ClientFactory
	account string
}

func openManagement(ctx context.Context, credential azcore.TokenCredential) management {
	options := arm.ClientOptions{ClientOptions: policy.ClientOptions{Cloud: ownCloud}}
	factory, err := cognitive.NewClientFactory(subscription, credential, &options)
	must(err)
	own := management{ClientFactory: factory}
	pager := factory.NewAccountsClient().NewListPager(nil)
	for _, account := range collect(ctx, pager, func(page cognitive.AccountsClientListResponse) []*cognitive.Account { return page.Value }) {
		if strings.Split(*account.ID, "/")[4] == ownGroup {
			own.account = *account.Name
		}
	}
	return own
}

func collect[Page, Item any](ctx context.Context, pager *runtime.Pager[Page], items func(Page) []Item) []Item {
	var all []Item
	for pager.More() {
		page, err := pager.NextPage(ctx)
		must(err)
		all = append(all, items(page)...)
	}
	return all
}

// finish waits for an operation that has begun.
func finish[T any](ctx context.Context, poller *runtime.Poller[T], err error) T {
	must(err)
	result, err := poller.PollUntilDone(ctx, nil)
	must(err)
	return result
}

func expectCode(err error, status int, code string) {
	var refusal *azcore.ResponseError
	expect(errors.As(err, &refusal), "got %v, expected a refusal with %s", err, code)
	expectEqual([]any{refusal.StatusCode, refusal.ErrorCode}, []any{status, code})
}

func newName() string {
	id := make([]byte, 6)
	_, _ = rand.Read(id)
	return fmt.Sprintf("go-%x", id)
}

func deploymentOf(capacity int32) cognitive.Deployment {
	model := cognitive.DeploymentModel{Format: to.Ptr("Ponto"), Name: to.Ptr("builtin-nano"), Version: to.Ptr("1")}
	return cognitive.Deployment{
		SKU:        &cognitive.SKU{Name: to.Ptr("Standard"), Capacity: to.Ptr(capacity)},
		Properties: &cognitive.DeploymentProperties{Model: &model},
	}
}

// listManagement has what holds whoever asks.
func listManagement(credential azcore.TokenCredential) []check {
	return []check{
		{"an account is made, changed, deleted, restored and purged", func(ctx context.Context) {
			checkAccount(ctx, openManagement(ctx, credential), credential)
		}},
		{"a deployment is made, read, listed, changed and deleted", func(ctx context.Context) {
			checkDeployment(ctx, openManagement(ctx, credential))
		}},
		{"policies and blocklists", func(ctx context.Context) {
			checkFilters(ctx, openManagement(ctx, credential))
		}},
		{"catalog and usages", func(ctx context.Context) {
			checkCatalog(ctx, openManagement(ctx, credential))
		}},
		{"what is refused is refused with the code of the vendor", func(ctx context.Context) {
			own := openManagement(ctx, credential)
			client := own.NewDeploymentsClient()
			unknown := deploymentOf(1)
			unknown.Properties.Model = &cognitive.DeploymentModel{Name: to.Ptr("gpt-4o")}
			_, err := client.BeginCreateOrUpdate(ctx, ownGroup, own.account, newName(), unknown, nil)
			expectCode(err, http.StatusBadRequest, "InvalidModel")
			_, err = client.Get(ctx, ownGroup, own.account, "none", nil)
			expectCode(err, http.StatusNotFound, "ResourceNotFound")
			_, err = client.Get(ctx, "no-such-group", "none", "none", nil)
			expectCode(err, http.StatusNotFound, "ResourceGroupNotFound")
		}},
	}
}

func checkAccount(ctx context.Context, own management, credential azcore.TokenCredential) {
	group, name := newName(), newName()
	expectEqual(sendGroup(ctx, credential, http.MethodPut, group), http.StatusCreated)
	accounts, deleted := own.NewAccountsClient(), own.NewDeletedAccountsClient()
	input := cognitive.Account{
		Location:   to.Ptr("eastus"),
		Kind:       to.Ptr("AIServices"),
		SKU:        &cognitive.SKU{Name: to.Ptr("S0")},
		Tags:       map[string]*string{"team": to.Ptr("a")},
		Properties: &cognitive.AccountProperties{CustomSubDomainName: to.Ptr(name)},
	}
	poller, err := accounts.BeginCreate(ctx, group, name, input, nil)
	made := finish(ctx, poller, err)
	expectEqual([]string{*made.Name, *made.Kind, *made.Tags["team"]}, []string{name, "AIServices", "a"})
	expectEqual(*made.Properties.ProvisioningState, cognitive.ProvisioningStateSucceeded)
	changes, err := accounts.BeginUpdate(ctx, group, name, cognitive.Account{Tags: map[string]*string{"team": to.Ptr("b")}}, nil)
	expectEqual(*finish(ctx, changes, err).Tags["team"], "b")
	keys, err := accounts.ListKeys(ctx, group, name, nil)
	must(err)
	again, err := accounts.RegenerateKey(ctx, group, name, cognitive.RegenerateKeyParameters{KeyName: to.Ptr(cognitive.KeyNameKey1)}, nil)
	must(err)
	expectEqual([]bool{*again.Key1 == *keys.Key1, *again.Key2 == *keys.Key2}, []bool{false, true})
	removal, err := accounts.BeginDelete(ctx, group, name, nil)
	finish(ctx, removal, err)
	_, err = accounts.Get(ctx, group, name, nil)
	expectCode(err, http.StatusNotFound, "ResourceNotFound")
	restore := cognitive.Account{Location: to.Ptr("eastus"), Properties: &cognitive.AccountProperties{Restore: to.Ptr(true)}}
	back, err := accounts.BeginCreate(ctx, group, name, restore, nil)
	expectEqual(*finish(ctx, back, err).Name, name)
	removal, err = accounts.BeginDelete(ctx, group, name, nil)
	finish(ctx, removal, err)
	purge, err := deleted.BeginPurge(ctx, "eastus", group, name, nil)
	finish(ctx, purge, err)
	_, err = deleted.Get(ctx, "eastus", group, name, nil)
	expectCode(err, http.StatusNotFound, "ResourceNotFound")
	expectEqual(sendGroup(ctx, credential, http.MethodDelete, group), http.StatusAccepted)
}

// sendGroup asks for a group of resources, which is for another client of the vendor.
func sendGroup(ctx context.Context, credential azcore.TokenCredential, method, group string) int {
	token, err := credential.GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{rootURL + "/.default"}})
	must(err)
	url := fmt.Sprintf("%s/subscriptions/%s/resourcegroups/%s?api-version=2022-09-01", rootURL, subscription, group)
	request, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(`{"location":"eastus"}`))
	must(err)
	request.Header.Set("Authorization", "Bearer "+token.Token)
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	must(err)
	defer response.Body.Close()
	return response.StatusCode
}

func checkDeployment(ctx context.Context, own management) {
	client, name := own.NewDeploymentsClient(), newName()
	poller, err := client.BeginCreateOrUpdate(ctx, ownGroup, own.account, name, deploymentOf(5), nil)
	made := finish(ctx, poller, err)
	expectEqual([]any{*made.Name, *made.SKU.Capacity}, []any{name, int32(5)})
	expectEqual(*made.Properties.ProvisioningState, cognitive.DeploymentProvisioningStateSucceeded)
	read, err := client.Get(ctx, strings.ToUpper(ownGroup), strings.ToUpper(own.account), strings.ToUpper(name), nil)
	must(err)
	expectEqual(*read.Etag, *made.Etag)
	listed := collect(ctx, client.NewListPager(ownGroup, own.account, nil), func(page cognitive.DeploymentsClientListResponse) []*cognitive.Deployment {
		return page.Value
	})
	isListed := false
	for _, deployment := range listed {
		isListed = isListed || *deployment.Name == name
	}
	expect(isListed, "%s is not listed", name)
	patch := cognitive.PatchResourceTagsAndSKU{SKU: &cognitive.SKU{Name: to.Ptr("Standard"), Capacity: to.Ptr(int32(2))}}
	changes, err := client.BeginUpdate(ctx, ownGroup, own.account, name, patch, nil)
	expectEqual(*finish(ctx, changes, err).SKU.Capacity, int32(2))
	removal, err := client.BeginDelete(ctx, ownGroup, own.account, name, nil)
	finish(ctx, removal, err)
	_, err = client.Get(ctx, ownGroup, own.account, name, nil)
	expectCode(err, http.StatusNotFound, "ResourceNotFound")
}

func checkFilters(ctx context.Context, own management) {
	lists, items, policies := own.NewRaiBlocklistsClient(), own.NewRaiBlocklistItemsClient(), own.NewRaiPoliciesClient()
	list, name := newName(), newName()
	_, err := lists.CreateOrUpdate(ctx, ownGroup, own.account, list, cognitive.RaiBlocklist{Properties: &cognitive.RaiBlocklistProperties{}}, nil)
	must(err)
	pattern := cognitive.RaiBlocklistItemProperties{Pattern: to.Ptr("plumbus"), IsRegex: to.Ptr(false)}
	bulk := []*cognitive.RaiBlocklistItemBulkRequest{
		{Name: to.Ptr("one"), Properties: &pattern},
		{Name: to.Ptr("two"), Properties: &pattern},
	}
	_, err = items.BatchAdd(ctx, ownGroup, own.account, list, bulk, nil)
	must(err)
	_, err = items.BatchDelete(ctx, ownGroup, own.account, list, []*string{to.Ptr("two")}, nil)
	must(err)
	found, err := items.Get(ctx, ownGroup, own.account, list, "one", nil)
	must(err)
	expectEqual(*found.Properties.Pattern, "plumbus")
	_, err = items.Get(ctx, ownGroup, own.account, list, "two", nil)
	expectCode(err, http.StatusNotFound, "ResourceNotFound")
	source := cognitive.RaiPolicyContentSourcePrompt
	filter := cognitive.RaiPolicyContentFilter{
		Name:              to.Ptr("Sexual"),
		Source:            &source,
		Enabled:           to.Ptr(true),
		Blocking:          to.Ptr(true),
		SeverityThreshold: to.Ptr(cognitive.ContentLevelHigh),
	}
	input := cognitive.RaiPolicy{Properties: &cognitive.RaiPolicyProperties{
		BasePolicyName:   to.Ptr("Microsoft.DefaultV2"),
		Mode:             to.Ptr(cognitive.RaiPolicyModeAsynchronousFilter),
		ContentFilters:   []*cognitive.RaiPolicyContentFilter{&filter},
		CustomBlocklists: []*cognitive.CustomBlocklistConfig{{BlocklistName: to.Ptr(list), Blocking: to.Ptr(true), Source: &source}},
	}}
	policy, err := policies.CreateOrUpdate(ctx, ownGroup, own.account, name, input, nil)
	must(err)
	expectEqual(policy.Properties.ContentFilters, input.Properties.ContentFilters)
	expectEqual(*policy.Properties.Mode, cognitive.RaiPolicyModeAsynchronousFilter)
	_, err = lists.BeginDelete(ctx, ownGroup, own.account, list, nil)
	expectCode(err, http.StatusConflict, "InUse")
	removal, err := policies.BeginDelete(ctx, ownGroup, own.account, name, nil)
	finish(ctx, removal, err)
	removed, err := lists.BeginDelete(ctx, ownGroup, own.account, list, nil)
	finish(ctx, removed, err)
}

func checkCatalog(ctx context.Context, own management) {
	models := collect(ctx, own.NewModelsClient().NewListPager("local", nil), func(page cognitive.ModelsClientListResponse) []*cognitive.Model {
		return page.Value
	})
	isThere := false
	for _, model := range models {
		isThere = isThere || (*model.Model.Name == "gpt-4o" && *model.Model.IsDefaultVersion)
	}
	expect(isThere, "there is no default version of gpt-4o")
	usages := collect(ctx, own.NewUsagesClient().NewListPager("local", nil), func(page cognitive.UsagesClientListResponse) []*cognitive.Usage {
		return page.Value
	})
	limits := map[string]float64{}
	for _, usage := range usages {
		limits[*usage.Name.Value] = *usage.Limit
	}
	expectEqual(limits["OpenAI.GlobalStandard.conformance-quota"], 3.0)
	availability, err := own.NewManagementClient().CheckDomainAvailability(ctx, cognitive.CheckDomainAvailabilityParameter{
		SubdomainName: to.Ptr(newName()),
		Type:          to.Ptr("Microsoft.CognitiveServices/accounts"),
	}, nil)
	must(err)
	expectEqual(*availability.IsSubdomainAvailable, true)
}

// listStrangers has who is let in nowhere.
func listStrangers() []check {
	return []check{
		{"strangers are refused, and keys of the data plane", func(ctx context.Context) {
			for credential, status := range map[string]int{"wrong": http.StatusUnauthorized, key: http.StatusForbidden} {
				options := arm.ClientOptions{ClientOptions: policy.ClientOptions{Cloud: ownCloud}}
				client, err := cognitive.NewAccountsClient(subscription, fixed(credential), &options)
				must(err)
				_, err = client.NewListPager(nil).NextPage(ctx)
				var refusal *azcore.ResponseError
				expect(errors.As(err, &refusal), "got %v", err)
				expectEqual(refusal.StatusCode, status)
			}
		}},
	}
}
