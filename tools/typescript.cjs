// Lets `require` load the repository's TypeScript. Types are only taken away here; `npm test` checks them.
//
// What a file becomes is kept in .cache/, by its content, so that the compiler is loaded only after a change. Files in node_modules
// are left to Node: a loader that looks at those too makes the start of the Pulumi SDK several times slower.
"use strict";
const fs = require("node:fs");
const path = require("node:path");
const { createHash } = require("node:crypto");

const CACHE = path.resolve(__dirname, "../.cache/typescript");

/** The compiler's options, as in a tsconfig.json. */
const OPTIONS = {
  target: "ES2022",
  module: "CommonJS",
  esModuleInterop: true,
  inlineSourceMap: true,
  inlineSources: true,
};

function compile(source, fileName) {
  const ts = require("typescript");
  const { options } = ts.convertCompilerOptionsFromJson(OPTIONS, __dirname);
  return ts.transpileModule(source, { fileName, compilerOptions: options }).outputText;
}

function cached(source, filename) {
  const { version } = require("typescript/package.json");
  // The name is part of the key: it stands in the source map.
  const parts = [version, JSON.stringify(OPTIONS), filename, source];
  const key = createHash("sha256").update(parts.join("\n")).digest("hex");
  const file = path.join(CACHE, `${key}.js`);
  try {
    return fs.readFileSync(file, "utf8");
  } catch (error) {
    if (error.code !== "ENOENT") throw error;
  }
  const code = compile(source, filename);
  try {
    // In one step, so that a command that runs at the same time never reads half a file.
    const temporary = `${file}.${process.pid}`;
    fs.mkdirSync(CACHE, { recursive: true });
    fs.writeFileSync(temporary, code);
    fs.renameSync(temporary, file);
  } catch {
    // A folder that cannot be written to only costs time.
  }
  return code;
}

require.extensions[".ts"] = (module, filename) => {
  module._compile(cached(fs.readFileSync(filename, "utf8"), filename), filename);
};
