// What jest counted, from the report that it writes itself (`--json --outputFile`).
"use strict";
const fs = require("node:fs");

/** The counts of a report. A suite that cannot run, a missing report, and a jest that ended badly without a failed test, are failures. */
exports.readCounts = function readCounts(file, endedWell) {
  if (!fs.existsSync(file)) return { passed: 0, failed: 1, skipped: 0 };
  const report = JSON.parse(fs.readFileSync(file, "utf8"));
  const failed = report.numFailedTests + report.numRuntimeErrorTestSuites;
  return {
    passed: report.numPassedTests,
    failed: endedWell ? failed : Math.max(failed, 1),
    skipped: report.numPendingTests,
  };
};
