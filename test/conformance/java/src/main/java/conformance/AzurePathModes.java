package conformance;

import static conformance.Surroundings.KEY;
import static conformance.Surroundings.QUESTION;

import com.openai.azure.AzureOpenAIServiceVersion;
import com.openai.azure.AzureUrlPathMode;
import com.openai.azure.credential.AzureApiKeyCredential;
import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;

/**
 * The ways in which openai-java comes from a base URL to a path. LEGACY puts the deployment into it, UNIFIED leaves it in the
 * body, and AUTO, the client's own choice, goes by the host: Azure's names with or without /openai/v1, or any other.
 */
final class AzurePathModes {
    private AzurePathModes() {
    }

    private static OpenAIOkHttpClient.Builder open(String baseUrl) {
        return OpenAIOkHttpClient.builder().baseUrl(baseUrl).credential(AzureApiKeyCredential.create(KEY));
    }

    private static Check check(String name, OpenAIOkHttpClient.Builder builder) {
        return new Check("path mode " + name, () -> {
            OpenAIClient openai = builder.build();
            Expect.equal(new OpenAiChat(openai).complete("RELAY-chat", QUESTION), "Echo: " + QUESTION);
            // The Model Inference API, where a path without the deployment would end, has ids of another kind.
            var answer = openai.chat().completions().create(OpenAiChat.ask("mistral-large", "hi").maxTokens(4).build());
            Expect.that(answer.id().startsWith("chatcmpl-"), "got the id " + answer.id());
            Expect.that(!openai.models().list().data().isEmpty(), "no models are listed");
        });
    }

    static List<Check> list() {
        String v1 = "/openai/v1";
        var stable = AzureOpenAIServiceVersion.latestStableVersion();
        List<Check> checks = new ArrayList<>();
        checks.add(check("LEGACY, the deployment in the path",
            open(Surroundings.ROOT_URL).azureUrlPathMode(AzureUrlPathMode.LEGACY)));
        checks.add(check("UNIFIED, the deployment in the body",
            open(Surroundings.V1_URL).azureUrlPathMode(AzureUrlPathMode.UNIFIED)));
        checks.add(check("AUTO at another host, the deployment in the body", open(Surroundings.V1_URL)));
        for (String host : Surroundings.AZURE_HOSTS) {
            String root = "https://" + host + ":" + URI.create(Surroundings.ROOT_URL).getPort();
            checks.add(check("AUTO at " + host + ", the deployment in the path", open(root)));
            checks.add(check("AUTO at " + host + " and a version, the deployment in the path",
                open(root + "/").azureServiceVersion(stable)));
            checks.add(check("AUTO at " + host + v1 + ", the deployment in the body", open(root + v1)));
        }
        checks.add(new Check("path mode UNIFIED, the deployment in the base URL", () -> {
            OpenAIClient openai = open(Surroundings.ROOT_URL + "/openai/deployments/RELAY-chat")
                .azureUrlPathMode(AzureUrlPathMode.UNIFIED)
                .putQueryParam("api-version", "2024-10-21")
                .build();
            Expect.equal(new OpenAiChat(openai).complete("gpt-3.5-turbo", QUESTION), "Echo: " + QUESTION);
        }));
        return checks;
    }
}
