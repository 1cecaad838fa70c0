// The vendors' Go clients, unmodified, against a live server over TLS. Go trusts the local authority by SSL_CERT_FILE.
package main

import (
	"os"
	"slices"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/azure"
	"github.com/openai/openai-go/v3/option"
)

// opener makes a client with these options besides its own.
type opener func(options ...option.RequestOption) openai.Client

func openAzure(options ...option.RequestOption) openai.Client {
	own := []option.RequestOption{azure.WithEndpoint(rootURL, apiVersion), azure.WithAPIKey(key)}
	return openai.NewClient(append(own, options...)...)
}

func openV1(options ...option.RequestOption) openai.Client {
	own := []option.RequestOption{option.WithBaseURL(v1URL), option.WithAPIKey(key)}
	return openai.NewClient(append(own, options...)...)
}

func listShared(open opener, withWrongKey option.RequestOption) []check {
	return slices.Concat(
		listChat(open),
		listTools(open),
		listTexts(open),
		listErrors(open, withWrongKey),
		listFaultyUpstreams(open),
		listDepartures(open),
		listBuiltIn(open),
		listStored(open),
		listFilters(open),
		listBatches(open, withWrongKey),
		listResponses(open),
	)
}

type suiteOf struct {
	client string
	checks []check
}

func main() {
	const openaiGo = "github.com/openai/openai-go/v3"
	suites := []suiteOf{
		{
			nameClient(openaiGo, "openai-go azure"),
			append(listShared(openAzure, azure.WithAPIKey("wrong")), listAzureOnly()...),
		},
		{
			nameClient(openaiGo, "openai-go"),
			slices.Concat(listShared(openV1, option.WithAPIKey("wrong")), listV1Only(), listStoredPages()),
		},
		{nameClient("github.com/Azure/azure-sdk-for-go/sdk/ai/azopenai", "azopenai"), append(listHelpers(), listTypedFilters()...)},
	}
	suites = append(suites, listManagementSuites()...)
	suites = append(suites, suiteOf{nameClient("github.com/hashicorp/hcl/v2", "HashiCorp's HCL parser"), listExports()})
	isGood := true
	for _, suite := range suites {
		isGood = runChecks(suite.client, suite.checks) && isGood
	}
	if !isGood {
		os.Exit(1)
	}
}
