package conformance;

import static conformance.Surroundings.KEY;
import static conformance.Surroundings.QUESTION;

import com.openai.azure.AzureOpenAIServiceVersion;
import com.openai.azure.AzureUrlPathMode;
import com.openai.azure.credential.AzureApiKeyCredential;
import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.credential.BearerTokenCredential;
import com.openai.errors.NotFoundException;
import java.util.ArrayList;
import java.util.List;

/** openai-java in its two ways of addressing: deployments with a dated api-version, and /openai/v1. */
final class OpenAiJava {
    private OpenAiJava() {
    }

    private static OpenAIClient openAzure(String key) {
        return OpenAIOkHttpClient.builder()
            .baseUrl(Surroundings.ROOT_URL)
            .azureUrlPathMode(AzureUrlPathMode.LEGACY)
            .azureServiceVersion(AzureOpenAIServiceVersion.latestStableVersion())
            .credential(AzureApiKeyCredential.create(key))
            .build();
    }

    private static OpenAIClient openV1(String key) {
        return OpenAIOkHttpClient.builder().baseUrl(Surroundings.V1_URL).apiKey(key).build();
    }

    private static List<Check> listShared(OpenAIClient openai, OpenAIClient withWrongKey) {
        List<Check> checks = new ArrayList<>(new OpenAiChat(openai).list());
        checks.addAll(new OpenAiTexts(openai).list());
        checks.addAll(new OpenAiErrors(openai, withWrongKey).list());
        checks.addAll(new OpenAiStored(openai).list());
        checks.addAll(new OpenAiFilters(openai).list());
        checks.addAll(new OpenAiBatches(openai, withWrongKey).list());
        checks.addAll(new OpenAiResponses(openai).list());
        return checks;
    }

    static List<Check> listAzure() {
        OpenAIClient openai = openAzure(KEY);
        List<Check> checks = listShared(openai, openAzure("wrong"));
        checks.add(new Check("the key as Bearer", () -> {
            OpenAIClient client = OpenAIOkHttpClient.builder()
                .baseUrl(Surroundings.ROOT_URL)
                .azureUrlPathMode(AzureUrlPathMode.LEGACY)
                .azureServiceVersion(AzureOpenAIServiceVersion.latestPreviewVersion())
                .credential(BearerTokenCredential.create(KEY))
                .build();
            Expect.equal(new OpenAiChat(client).complete("relay-chat", QUESTION), "Echo: " + QUESTION);
        }));
        checks.add(new Check("the base models are listed", () -> {
            List<String> ids = listModels(openai);
            Expect.that(ids.contains("gpt-4o-2024-08-06"), "got " + ids);
        }));
        return checks;
    }

    static List<Check> listV1() {
        OpenAIClient openai = openV1(KEY);
        List<Check> checks = listShared(openai, openV1("wrong"));
        checks.add(new Check("Azure's unified addressing sends the key as api-key", () -> {
            OpenAIClient client = OpenAIOkHttpClient.builder()
                .baseUrl(Surroundings.V1_URL)
                .azureUrlPathMode(AzureUrlPathMode.UNIFIED)
                .credential(AzureApiKeyCredential.create(KEY))
                .build();
            Expect.equal(new OpenAiChat(client).complete("RELAY-chat", QUESTION), "Echo: " + QUESTION);
        }));
        checks.add(new Check("deployments are listed and found in any case", () -> {
            List<String> ids = listModels(openai);
            Expect.that(ids.containsAll(List.of("Relay-Chat", "Mistral-large")), "got " + ids);
            Expect.equal(openai.models().retrieve("mistral-LARGE").id(), "Mistral-large");
            Expect.failure(NotFoundException.class, () -> openai.models().retrieve("nothing-like-it"));
        }));
        return checks;
    }

    private static List<String> listModels(OpenAIClient openai) {
        return openai.models().list().autoPager().stream().map(model -> model.id()).toList();
    }
}
