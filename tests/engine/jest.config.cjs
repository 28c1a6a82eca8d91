// The engine's scenarios, apart from `npm test`: they need root, and minutes.
"use strict";

/** @type {import("jest").Config} */
module.exports = {
  rootDir: "../..",
  testEnvironment: "node",
  testMatch: ["<rootDir>/tests/engine/**/*.scenario.ts"],
  // Types are checked by `npm test`.
  transform: { "^.+\\.ts$": ["ts-jest", { diagnostics: false }] },
  maxWorkers: 1,
  testTimeout: 300_000,
  modulePathIgnorePatterns: ["<rootDir>/.cache"],
};
