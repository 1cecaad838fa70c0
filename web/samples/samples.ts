import type { CodeSample } from '../ui/code-block.tsx'

export type SampleFacts = {
  /** Of the server, without a slash at the end. */
  readonly origin: string
  readonly deployment: string
  readonly isEmbedding: boolean
}

const inferenceVersion = '2024-05-01-preview'
const openaiVersion = '2024-10-21'
const question = 'Say hello.'

/** A first call in each language. The key is never part of it: it is read from the environment. */
export function listSamples(facts: SampleFacts): readonly CodeSample[] {
  return facts.isEmbedding ? listEmbeddingSamples(facts) : listChatSamples(facts)
}

function listChatSamples({ origin, deployment }: SampleFacts): readonly CodeSample[] {
  const body = JSON.stringify({ model: deployment, messages: [{ role: 'user', content: question }] }, null, 2)
  return [
    {
      id: 'curl',
      title: 'curl',
      code: `curl "${origin}/models/chat/completions?api-version=${inferenceVersion}" \\
  -H "api-key: $AZUREAI_ENDPOINT_KEY" \\
  -H "Content-Type: application/json" \\
  -d '${quoteShell(body)}'`,
    },
    {
      id: 'python',
      title: 'Python',
      note: 'pip install azure-ai-inference',
      code: `import os
from azure.ai.inference import ChatCompletionsClient
from azure.ai.inference.models import UserMessage
from azure.core.credentials import AzureKeyCredential

client = ChatCompletionsClient(
    endpoint="${origin}/models",
    credential=AzureKeyCredential(os.environ["AZUREAI_ENDPOINT_KEY"]),
)
answer = client.complete(model="${deployment}", messages=[UserMessage("${question}")])
print(answer.choices[0].message.content)`,
    },
    {
      id: 'javascript',
      title: 'JavaScript',
      note: 'npm install openai',
      code: `import { AzureOpenAI } from 'openai'

const client = new AzureOpenAI({
  endpoint: '${origin}',
  apiKey: process.env.AZURE_OPENAI_API_KEY,
  apiVersion: '${openaiVersion}',
})
const answer = await client.chat.completions.create({
  model: '${deployment}',
  messages: [{ role: 'user', content: '${question}' }],
})
console.log(answer.choices[0].message.content)`,
    },
    {
      id: 'java',
      title: 'Java',
      note: 'com.azure:azure-ai-inference',
      code: `import com.azure.ai.inference.ChatCompletionsClient;
import com.azure.ai.inference.ChatCompletionsClientBuilder;
import com.azure.ai.inference.models.ChatCompletionsOptions;
import com.azure.ai.inference.models.ChatRequestUserMessage;
import com.azure.core.credential.AzureKeyCredential;
import java.util.List;

ChatCompletionsClient client = new ChatCompletionsClientBuilder()
    .endpoint("${origin}/models")
    .credential(new AzureKeyCredential(System.getenv("AZUREAI_ENDPOINT_KEY")))
    .buildClient();
var options = new ChatCompletionsOptions(List.of(new ChatRequestUserMessage("${question}")))
    .setModel("${deployment}");
System.out.println(client.complete(options).getChoice().getMessage().getContent());`,
    },
    {
      id: 'go',
      title: 'Go',
      note: 'go get github.com/openai/openai-go/v3',
      code: `client := openai.NewClient(
	option.WithBaseURL("${origin}/openai/v1/"),
	option.WithAPIKey(os.Getenv("AZURE_OPENAI_API_KEY")),
)
answer, err := client.Chat.Completions.New(context.Background(), openai.ChatCompletionNewParams{
	Model:    "${deployment}",
	Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage("${question}")},
})
if err != nil {
	log.Fatal(err)
}
fmt.Println(answer.Choices[0].Message.Content)`,
    },
    {
      id: 'csharp',
      title: 'C#',
      note: 'dotnet add package OpenAI',
      code: `using System.ClientModel;
using OpenAI;
using OpenAI.Chat;

var options = new OpenAIClientOptions { Endpoint = new Uri("${origin}/openai/v1/") };
var key = new ApiKeyCredential(Environment.GetEnvironmentVariable("AZURE_OPENAI_API_KEY")!);
var client = new ChatClient("${deployment}", key, options);

ChatCompletion answer = await client.CompleteChatAsync("${question}");
Console.WriteLine(answer.Content[0].Text);`,
    },
  ]
}

function listEmbeddingSamples({ origin, deployment }: SampleFacts): readonly CodeSample[] {
  const body = JSON.stringify({ model: deployment, input: [question] }, null, 2)
  return [
    {
      id: 'curl',
      title: 'curl',
      code: `curl "${origin}/models/embeddings?api-version=${inferenceVersion}" \\
  -H "api-key: $AZUREAI_ENDPOINT_KEY" \\
  -H "Content-Type: application/json" \\
  -d '${quoteShell(body)}'`,
    },
    {
      id: 'python',
      title: 'Python',
      note: 'pip install azure-ai-inference',
      code: `import os
from azure.ai.inference import EmbeddingsClient
from azure.core.credentials import AzureKeyCredential

client = EmbeddingsClient(
    endpoint="${origin}/models",
    credential=AzureKeyCredential(os.environ["AZUREAI_ENDPOINT_KEY"]),
)
answer = client.embed(model="${deployment}", input=["${question}"])
print(len(answer.data[0].embedding))`,
    },
    {
      id: 'javascript',
      title: 'JavaScript',
      note: 'npm install openai',
      code: `import { AzureOpenAI } from 'openai'

const client = new AzureOpenAI({
  endpoint: '${origin}',
  apiKey: process.env.AZURE_OPENAI_API_KEY,
  apiVersion: '${openaiVersion}',
})
const answer = await client.embeddings.create({ model: '${deployment}', input: ['${question}'] })
console.log(answer.data[0].embedding.length)`,
    },
  ]
}

/** What the playground has just asked, to be asked again from elsewhere. */
export function listRequestSamples(origin: string, body: object): readonly CodeSample[] {
  const json = JSON.stringify(body, null, 2)
  return [
    {
      id: 'curl',
      title: 'curl',
      code: `curl "${origin}/openai/v1/chat/completions" \\
  -H "api-key: $AZURE_OPENAI_API_KEY" \\
  -H "Content-Type: application/json" \\
  -d '${quoteShell(json)}'`,
    },
    {
      id: 'python',
      title: 'Python',
      note: 'pip install openai',
      code: `import json
import os
from openai import OpenAI

client = OpenAI(base_url="${origin}/openai/v1/", api_key=os.environ["AZURE_OPENAI_API_KEY"])
request = json.loads(r'''
${json.replaceAll("'''", "''\\u0027")}
''')
for chunk in client.chat.completions.create(**request):
    if chunk.choices:
        print(chunk.choices[0].delta.content or "", end="")`,
    },
    {
      id: 'javascript',
      title: 'JavaScript',
      note: 'npm install openai',
      code: `import OpenAI from 'openai'

const client = new OpenAI({ baseURL: '${origin}/openai/v1/', apiKey: process.env.AZURE_OPENAI_API_KEY })
const stream = await client.chat.completions.create(${json})
for await (const chunk of stream) process.stdout.write(chunk.choices[0]?.delta?.content ?? '')`,
    },
  ]
}

/** Within single quotes of a shell. */
function quoteShell(text: string): string {
  return text.replaceAll("'", `'\\''`)
}
