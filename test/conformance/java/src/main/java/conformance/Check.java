package conformance;

/** One behaviour of one client. It fails by what it throws. */
record Check(String name, Body body) {
    interface Body {
        void run() throws Exception;
    }
}
