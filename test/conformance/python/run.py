"""Runs the checks of the named modules and prints one JSON line per check, for the runner."""

import json
import sys
import traceback
import unittest


class CheckReport(unittest.TestResult):
    def addSuccess(self, test):
        self._tell(test, "passed")

    def addSkip(self, test, reason):
        self._tell(test, "skipped", reason)

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self._tell(test, "failed", _describe(err))

    addError = addFailure

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None:
            self._tell(test, "failed", f"{subtest._subDescription()}\n{_describe(err)}")

    def _tell(self, test, outcome, detail=None):
        client = getattr(test, "client", type(test).__name__)
        name = str(getattr(test, "_testMethodName", test)).removeprefix("test_").replace("_", " ")
        check = {"client": client, "name": name, "outcome": outcome, "detail": detail}
        print(json.dumps({k: v for k, v in check.items() if v is not None}, separators=(",", ":")), flush=True)


def _describe(err):
    return "".join(traceback.format_exception(*err))


if __name__ == "__main__":
    report = CheckReport()
    unittest.defaultTestLoader.loadTestsFromNames(sys.argv[1:]).run(report)
    sys.exit(0 if report.wasSuccessful() else 1)
