// The pack's entry point for the engine: loads the repository's TypeScript with what the repository already has, without a type check
// at each start.
"use strict";
require("../tools/typescript.cjs");
require("./index.ts");
