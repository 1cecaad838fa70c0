package conformance;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Runs checks one after the other and prints one JSON line for each, for the runner. */
final class Report {
    private static final int LIMIT_S = 60;

    private final PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    private final JsonMapper json = new JsonMapper();
    private final ExecutorService threads = Executors.newCachedThreadPool(task -> {
        Thread thread = new Thread(task);
        thread.setDaemon(true);
        return thread;
    });
    private boolean hasFailed;

    boolean hasFailed() {
        return hasFailed;
    }

    /** The client is named with the version in the manifest of its own archive. */
    void run(String title, Class<?> client, List<Check> checks) throws Exception {
        String name = title + " " + client.getPackage().getImplementationVersion();
        for (Check check : checks) {
            Throwable failure = runOne(check);
            hasFailed |= failure != null;
            // The client comes first, since the runner knows its lines by that.
            ObjectNode line = json.createObjectNode()
                .put("client", name)
                .put("name", check.name())
                .put("outcome", failure == null ? "passed" : "failed");
            if (failure != null) {
                line.put("detail", describe(failure));
            }
            out.println(json.writeValueAsString(line));
        }
    }

    /** A client that hangs costs its own check only. */
    private Throwable runOne(Check check) throws InterruptedException {
        Future<?> run = threads.submit(() -> {
            check.body().run();
            return null;
        });
        try {
            run.get(LIMIT_S, TimeUnit.SECONDS);
            return null;
        } catch (ExecutionException failed) {
            return failed.getCause();
        } catch (TimeoutException late) {
            run.cancel(true);
            return new AssertionError("no end after " + LIMIT_S + " s");
        }
    }

    /** Each error with the lines of the checks themselves that led to it. */
    private static String describe(Throwable failure) {
        StringBuilder text = new StringBuilder();
        for (Throwable error = failure; error != null; error = error.getCause()) {
            text.append(text.isEmpty() ? "" : "caused by ").append(error).append('\n');
            Arrays.stream(error.getStackTrace())
                .filter(frame -> frame.getClassName().startsWith("conformance."))
                .forEach(frame -> text.append("  at ").append(frame).append('\n'));
        }
        return text.toString();
    }
}
