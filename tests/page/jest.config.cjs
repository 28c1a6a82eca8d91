// The page in a real browser, apart from `npm test`: it needs Chromium.
"use strict";

/** @type {import("jest").Config} */
module.exports = {
  rootDir: "../..",
  testEnvironment: "node",
  testMatch: ["<rootDir>/tests/page/**/*.browser.ts"],
  // Types are checked by `npm test`.
  transform: { "^.+\\.ts$": ["ts-jest", { diagnostics: false }] },
  maxWorkers: 2,
  testTimeout: 120_000,
  modulePathIgnorePatterns: ["<rootDir>/.cache"],
};
