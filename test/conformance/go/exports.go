package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"

	"github.com/hashicorp/hcl/v2/hclparse"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
)

// What the provider azurerm takes, as its documentation has it; "!" marks what it asks for.
var azurermArguments = map[string][]string{
	"variable": {"type", "description"},
	"azurerm_cognitive_account_rai_blocklist": {"!name", "!cognitive_account_id", "description"},
	"azurerm_cognitive_account_rai_policy":    {"!name", "!cognitive_account_id", "!base_policy_name", "mode", "tags"},
	"content_filter":                          {"!name", "!filter_enabled", "!block_enabled", "severity_threshold", "!source"},
	"azurerm_cognitive_deployment": {
		"!name", "!cognitive_account_id", "rai_policy_name", "version_upgrade_option", "dynamic_throttling_enabled", "depends_on",
	},
	"model": {"!format", "!name", "version"},
	"sku":   {"!name", "tier", "size", "family", "capacity"},
}

const hostile = "it's \"q\" ${a} %{if} \\ \n\t\u0001 [x] 世界"

// listExports has what "ponto export --terraform" writes read by the parser that Terraform itself has.
func listExports() []check {
	return []check{{"an export for Terraform is read, is formatted, and has the arguments of azurerm", func(ctx context.Context) {
		// A name with an underscore has no hosts, so that no certificate is issued for it.
		const resource = "/management/resources/go_exports"
		manage(ctx, http.MethodPut, resource, map[string]any{})
		defer manage(ctx, http.MethodDelete, "/management/deleted-resources/go_exports", nil)
		defer manage(ctx, http.MethodDelete, resource, nil)
		imported := manage(ctx, http.MethodPost, resource+"/import", map[string]any{"text": exportedDocument()})
		for _, one := range imported["value"].([]any) {
			expectEqual(one.(map[string]any)["result"], "created")
		}
		text := []byte(manage(ctx, http.MethodGet, resource+"/export?format=terraform", nil)["text"].(string))
		file, diagnostics := hclparse.NewParser().ParseHCL(text, "export.tf")
		expect(!diagnostics.HasErrors(), "got %v", diagnostics)
		expectEqual(string(hclwrite.Format(text)), string(text))
		names := map[string]bool{}
		for _, block := range file.Body.(*hclsyntax.Body).Blocks {
			checkArguments(block)
			expect(!names[block.Type+block.Labels[0]+block.Labels[len(block.Labels)-1]], "%v is there twice", block.Labels)
			names[block.Type+block.Labels[0]+block.Labels[len(block.Labels)-1]] = true
			if block.Labels[0] == "azurerm_cognitive_account_rai_blocklist" {
				description, problems := block.Body.Attributes["description"].Expr.Value(nil)
				expect(!problems.HasErrors(), "got %v", problems)
				expectEqual(description.AsString(), hostile)
			}
		}
		expectEqual(len(names), 6)
	}}}
}

func exportedDocument() string {
	deployment := func(name string, more map[string]any) map[string]any {
		document := map[string]any{"name": name, "model": map[string]any{"name": "gpt-4o"}, "backends": []any{map[string]any{"url": "https://a.example/v1"}}}
		for field, value := range more {
			document[field] = value
		}
		return document
	}
	document := map[string]any{
		"raiBlocklists": []any{map[string]any{"name": "names", "description": hostile}},
		"raiPolicies": []any{map[string]any{"name": "1st.~policy", "tags": map[string]any{hostile: hostile}, "contentFilters": []any{
			map[string]any{"name": "Violence", "source": "Prompt", "severityThreshold": "Low"},
			map[string]any{"name": "Jailbreak", "source": "Prompt"},
		}}},
		"deployments": []any{
			deployment("a.b", map[string]any{"raiPolicyName": "1st.~policy", "versionUpgradeOption": "NoAutoUpgrade"}),
			deployment("a_2e_b", map[string]any{"tags": map[string]any{hostile: hostile}}),
			deployment("1a", map[string]any{"sku": map[string]any{"name": "GlobalStandard", "capacity": 3}}),
		},
	}
	text, err := json.Marshal(document)
	must(err)
	return string(text)
}

func checkArguments(block *hclsyntax.Block) {
	kind := block.Type
	if kind == "resource" {
		kind = block.Labels[0]
	}
	known := map[string]bool{}
	for _, argument := range azurermArguments[kind] {
		name := argument
		if argument[0] == '!' {
			name = argument[1:]
			expect(block.Body.Attributes[name] != nil, "%s has no %s", kind, name)
		}
		known[name] = true
	}
	for name := range block.Body.Attributes {
		expect(known[name], "%s has no argument %s", kind, name)
	}
	if kind == "content_filter" {
		name, _ := block.Body.Attributes["name"].Expr.Value(nil)
		isLevelled := block.Body.Attributes["severity_threshold"] != nil
		expect(isLevelled == (name.AsString() == "Violence"), "%s has the wrong arguments", name.AsString())
	}
	for _, inner := range block.Body.Blocks {
		checkArguments(inner)
	}
}

// manage gives what the management API answers, which must be a success.
func manage(ctx context.Context, method, path string, body any) map[string]any {
	text, err := json.Marshal(body)
	must(err)
	request, err := http.NewRequestWithContext(ctx, method, rootURL+path, bytes.NewReader(text))
	must(err)
	request.Header.Set("authorization", "Bearer "+os.Getenv("CONFORMANCE_MANAGEMENT_CREDENTIAL"))
	request.Header.Set("content-type", "application/json")
	response, err := http.DefaultClient.Do(request)
	must(err)
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	must(err)
	expect(response.StatusCode < 300, "%s %s: %d %s", method, path, response.StatusCode, answer)
	parsed := map[string]any{}
	if len(answer) > 0 {
		must(json.Unmarshal(answer, &parsed))
	}
	return parsed
}
