package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"runtime/debug"
	"strings"
	"time"
)

// check is one behaviour of one client. It fails by a failed expectation.
type check struct {
	name string
	run  func(ctx context.Context)
}

const checkLimit = 60 * time.Second

// runChecks prints one JSON line per check, for the runner, and tells whether all passed.
func runChecks(client string, checks []check) bool {
	isGood := true
	for _, check := range checks {
		outcome := map[string]string{"outcome": "passed"}
		if detail := check.try(); detail != "" {
			isGood = false
			outcome = map[string]string{"outcome": "failed", "detail": detail}
		}
		printLine(client, check.name, outcome)
	}
	return isGood
}

// printLine begins with the client, since the runner knows its lines by that.
func printLine(client, name string, outcome map[string]string) {
	line := struct {
		Client  string `json:"client"`
		Name    string `json:"name"`
		Outcome string `json:"outcome"`
		Detail  string `json:"detail,omitempty"`
	}{client, name, outcome["outcome"], outcome["detail"]}
	text, err := json.Marshal(line)
	must(err)
	fmt.Println(string(text))
}

// try gives the reason of a failure, or nothing.
func (c check) try() (detail string) {
	ctx, cancel := context.WithTimeout(context.Background(), checkLimit)
	defer cancel()
	defer func() {
		switch thrown := recover().(type) {
		case nil:
		case failure:
			detail = string(thrown)
		default:
			detail = fmt.Sprintf("%v\n%s", thrown, debug.Stack())
		}
	}()
	c.run(ctx)
	return ""
}

type failure string

func expect(isTrue bool, format string, args ...any) {
	if !isTrue {
		fail(fmt.Sprintf(format, args...))
	}
}

func expectEqual(got, want any) {
	if !reflect.DeepEqual(got, want) {
		fail(fmt.Sprintf("got %#v, expected %#v", got, want))
	}
}

// must ends the check on an error that it has no use for.
func must(err error) {
	if err != nil {
		fail(fmt.Sprintf("%T: %v", err, err))
	}
}

// fail names the line of the check's own file that the expectation stands in, and the lines that led there.
func fail(text string) {
	frames := make([]uintptr, 16)
	walk := runtime.CallersFrames(frames[:runtime.Callers(3, frames)])
	var trail []string
	for {
		frame, more := walk.Next()
		if strings.HasPrefix(frame.Function, "main.") {
			trail = append(trail, fmt.Sprintf("%s:%d", filepath.Base(frame.File), frame.Line))
		}
		if !more {
			break
		}
	}
	panic(failure(text + "\n" + strings.Join(trail, " < ")))
}

// nameClient gives a client's name and version as the report shows them.
func nameClient(module, title string) string {
	info, _ := debug.ReadBuildInfo()
	for _, dependency := range info.Deps {
		if dependency.Path == module {
			return title + " " + strings.TrimPrefix(dependency.Version, "v")
		}
	}
	fmt.Fprintln(os.Stderr, "not built with "+module)
	os.Exit(1)
	return ""
}
