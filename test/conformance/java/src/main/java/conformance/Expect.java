package conformance;

import java.util.Objects;

/** What a check claims. */
final class Expect {
    private Expect() {
    }

    static void that(boolean isTrue, String complaint) {
        if (!isTrue) {
            throw new AssertionError(complaint);
        }
    }

    static void equal(Object got, Object expected) {
        that(Objects.equals(got, expected), "got " + got + ", expected " + expected);
    }

    /** The error of this class that the body must end with. */
    static <E extends Throwable> E failure(Class<E> wanted, Check.Body body) {
        try {
            body.run();
        } catch (Throwable thrown) {
            if (wanted.isInstance(thrown)) {
                return wanted.cast(thrown);
            }
            throw new AssertionError("expected " + wanted.getSimpleName() + ", got another error", thrown);
        }
        throw new AssertionError("expected " + wanted.getSimpleName() + ", got no error");
    }
}
