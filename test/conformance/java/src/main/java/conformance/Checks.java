package conformance;

import com.azure.ai.inference.ChatCompletionsClient;
import com.openai.client.OpenAIClient;

/** The vendors' Java clients, unmodified, against a live server over TLS. Java trusts it by JAVA_TOOL_OPTIONS. */
public final class Checks {
    private Checks() {
    }

    public static void main(String[] args) throws Exception {
        Report report = new Report();
        report.run("azure-ai-inference chat", ChatCompletionsClient.class, InferenceChat.list());
        report.run("azure-ai-inference chat async", ChatCompletionsClient.class, InferenceChatAsync.list());
        report.run("azure-ai-inference embeddings", ChatCompletionsClient.class, InferenceEmbeddings.list());
        report.run("azure-ai-openai", com.azure.ai.openai.OpenAIClient.class, AzureOpenAi.list());
        report.run("azure-ai-inference filters", ChatCompletionsClient.class, InferenceFilters.list());
        report.run("azure-ai-openai filters", com.azure.ai.openai.OpenAIClient.class, AzureOpenAiFilters.list());
        report.run("azure-ai-openai batches", com.azure.ai.openai.OpenAIClient.class, AzureOpenAiBatches.list());
        report.run("openai-java azure", OpenAIClient.class, OpenAiJava.listAzure());
        report.run("openai-java", OpenAIClient.class, OpenAiJava.listV1());
        report.run("openai-java azure", OpenAIClient.class, AzurePathModes.list());
        // The clients' own threads are not all daemons.
        System.exit(report.hasFailed() ? 1 : 0);
    }
}
