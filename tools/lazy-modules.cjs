// The Pulumi SDK loads the TypeScript compiler and npm's dependency resolver at its start, for programs that turn functions into
// text (dynamic providers). Together they are half of its start-up time. Here they are loaded when something asks them for anything.
"use strict";
const Module = require("node:module");
const path = require("node:path");

const LAZY = new Set(["typescript", "@npmcli/arborist"]);
const SDK = `${path.sep}${path.join("node_modules", "@pulumi", "pulumi")}${path.sep}`;

const load = Module._load;

function lazily(name, parent) {
  let loaded;
  const module = () => (loaded ??= load(name, parent, false));
  return new Proxy(Object.create(null), {
    // As an ES module it is handed on as it is, instead of being copied, which would load it.
    get: (_target, key) => (key === "__esModule" ? true : module()[key]),
    has: (_target, key) => key in module(),
    ownKeys: () => Reflect.ownKeys(module()),
    getOwnPropertyDescriptor: (_target, key) => {
      const found = Reflect.getOwnPropertyDescriptor(module(), key);
      return found && { ...found, configurable: true };
    },
  });
}

Module._load = (request, parent, isMain) =>
  LAZY.has(request) && parent?.filename?.includes(SDK) ? lazily(request, parent) : load(request, parent, isMain);
