package main

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"time"
)

// What the checks know of the server they run against: what `ponto env` prints, and the upstream's own memory.
var (
	rootURL     = os.Getenv("AZURE_OPENAI_ENDPOINT")
	v1URL       = rootURL + "/openai/v1/"
	key         = os.Getenv("AZURE_OPENAI_API_KEY")
	apiVersion  = os.Getenv("OPENAI_API_VERSION")
	upstreamURL = os.Getenv("CONFORMANCE_UPSTREAM")

	// How long the upstream asks a limited caller to wait.
	retryAfter = readMilliseconds("CONFORMANCE_RETRY_AFTER_MS")
)

// An answer to it needs more than one byte a character.
const question = "Grüße an 世界 👋, wie geht es?"

var vectors = [][]float64{{3, 0, 0.25, -1.5}, {5, 1, 0.25, -1.5}}

func readMilliseconds(name string) time.Duration {
	value, err := strconv.Atoi(os.Getenv(name))
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
		os.Exit(1)
	}
	return time.Duration(value) * time.Millisecond
}

// newMark gives a text that finds a check's own requests again at the upstream.
func newMark() string {
	id := make([]byte, 16)
	_, _ = rand.Read(id)
	return fmt.Sprintf("mark-%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:])
}

type seenRequest struct {
	Body         map[string]any `json:"body"`
	ReceivedAtMs int64          `json:"receivedAtMs"`
	IsWhole      bool           `json:"isWhole"`
}

// listSeen gives the requests that reached the upstream with this mark, once all of them are over.
func listSeen(mark string) []seenRequest {
	client := http.Client{Timeout: 30 * time.Second}
	response, err := client.Get(upstreamURL + "/seen/" + mark)
	must(err)
	defer response.Body.Close()
	var seen []seenRequest
	must(json.NewDecoder(response.Body).Decode(&seen))
	return seen
}

// release lets the gated answer to the request with this mark go on.
func release(mark string) {
	response, err := http.Get(upstreamURL + "/release/" + mark)
	must(err)
	response.Body.Close()
}
