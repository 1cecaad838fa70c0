"""
What "ponto export --bicep" writes, read with the grammar of tree-sitter. That is not Microsoft's own compiler, which is in none of the
registries that this runs with: it says that the text is Bicep, and nothing about types.
"""

import json
import os
import ssl
import unittest
import urllib.request

import tree_sitter
import tree_sitter_bicep

from surroundings import MANAGEMENT, name_client, root_url

RESOURCE = "/management/resources/py_exports"
HOSTILE = "it's \"q\" ${a} \\ \n\t\u0001 [x] 世界"
DOCUMENT = {
    "raiBlocklists": [{"name": "names", "description": HOSTILE, "items": [{"name": "a", "pattern": HOSTILE}]}],
    "raiPolicies": [{"name": "1st.~policy", "customBlocklists": [{"blocklistName": "names", "source": "Prompt"}]}],
    "deployments": [
        {
            "name": "a.b",
            "model": {"name": "gpt-4o"},
            "raiPolicyName": "1st.~policy",
            "tags": {HOSTILE: HOSTILE},
            "backends": [{"url": "https://a.example/v1"}],
        },
        {"name": "a_b", "model": {"name": "gpt-4o"}, "backends": [{"url": "https://a.example/v1"}]},
    ],
}


def ask(method: str, path: str, body=None):
    request = urllib.request.Request(f"{root_url}{path}", method=method)
    request.add_header("authorization", f"Bearer {MANAGEMENT['credential']}")
    request.add_header("content-type", "application/json")
    data = None if body is None else json.dumps(body).encode()
    context = ssl.create_default_context(cafile=os.environ.get("SSL_CERT_FILE"))
    with urllib.request.urlopen(request, data, context=context) as answer:
        text = answer.read()
    return json.loads(text) if text else None


def parse(text: str):
    language = tree_sitter.Language(tree_sitter_bicep.language())
    return tree_sitter.Parser(language).parse(text.encode()).root_node


def find(node, kind: str):
    return [node] if node.type == kind else [found for child in node.children for found in find(child, kind)]


class Bicep(unittest.TestCase):
    client = name_client("tree-sitter-bicep", "grammar of Bicep")

    def test_an_export_is_read_whole(self):
        ask("PUT", RESOURCE, {})
        try:
            view = ask("POST", f"{RESOURCE}/import", {"text": json.dumps(DOCUMENT)})
            self.assertEqual({one["result"] for one in view["value"]}, {"created"}, view)
            text = ask("GET", f"{RESOURCE}/export?format=bicep")["text"]
        finally:
            ask("DELETE", RESOURCE)
            ask("DELETE", "/management/deleted-resources/py_exports")
        root = parse(text)
        self.assertFalse(root.has_error, text)
        symbols = [one.children[1].text.decode() for one in find(root, "resource_declaration")]
        self.assertEqual(len(symbols), len(set(symbols)), symbols)
        # The account, the list with its item, the policy and two deployments.
        self.assertEqual(len(symbols), 6, text)

    def test_the_grammar_refuses_what_is_none(self):
        self.assertTrue(parse("resource x 'a@b' = { name: 'it's' }").has_error)
