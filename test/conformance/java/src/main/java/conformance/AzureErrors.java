package conformance;

import com.azure.core.exception.HttpResponseException;
import com.azure.core.http.policy.FixedDelayOptions;
import com.azure.core.http.policy.RetryOptions;
import com.azure.core.util.HttpClientOptions;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.time.Duration;

/** What both Azure clients share. */
final class AzureErrors {
    static final RetryOptions ONCE = new RetryOptions(new FixedDelayOptions(0, Duration.ZERO));
    static final HttpClientOptions IMPATIENT = new HttpClientOptions().setResponseTimeout(Duration.ofSeconds(2));

    private static final JsonMapper JSON = new JsonMapper();

    private AzureErrors() {
    }

    /** The {@code error} of a refusal with this status. */
    static JsonNode refusal(int status, Check.Body body) {
        return refusal(HttpResponseException.class, status, body);
    }

    static JsonNode refusal(Class<? extends HttpResponseException> wanted, int status, Check.Body body) {
        HttpResponseException refused = Expect.failure(wanted, body);
        Expect.equal(refused.getResponse().getStatusCode(), status);
        return JSON.valueToTree(refused.getValue()).path("error");
    }

    static void expectRetryHeaders(Check.Body body) {
        HttpResponseException refused = Expect.failure(HttpResponseException.class, body);
        Expect.equal(refused.getResponse().getStatusCode(), 429);
        Expect.equal(refused.getResponse().getHeaders().getValue("retry-after"), "2");
        String exact = String.valueOf(Surroundings.RETRY_AFTER_MS);
        Expect.equal(refused.getResponse().getHeaders().getValue("retry-after-ms"), exact);
        Expect.equal(refused.getResponse().getHeaders().getValue("x-ms-retry-after-ms"), exact);
    }
}
