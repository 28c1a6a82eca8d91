// Typed lint, and the house's one-way arrows: each folder may import only what its row allows.
import tseslint from "typescript-eslint";

/** What each folder may import, from the folders of this repository, or from single files of those, and from packages. Nothing else. */
const ROOMS = {
  catalogue: { folders: [], packages: ["semver", "ip-address"] },
  spec: { folders: ["catalogue"], packages: ["zod", "semver", "ip-address", "fastest-levenshtein"] },
  plan: { folders: ["catalogue", "spec/types", "spec/problems"], packages: ["yaml", "semver"] },
  components: { folders: ["plan"], packages: ["@pulumi/*", "node:crypto", "node:fs", "node:path"] },
  review: {
    folders: ["catalogue", "spec", "plan"],
    packages: ["@pulumi/*", "yaml", "diff", "node:*", "google-protobuf"],
  },
  // Several stacks: held against each other, and copied.
  fleet: {
    folders: [
      "catalogue",
      "spec",
      "plan",
      "review/command",
      "review/options",
      "review/stack-file",
      "review/text",
      "review/words",
    ],
    packages: ["yaml", "node:*"],
  },
  // The pack stands alone beside any program: it knows the catalogue, and what the engine is about to create.
  policy: { folders: ["catalogue", "plan"], packages: ["@pulumi/*", "node:*"] },
  // The checks alone: a stack as the review reads it, the plan's documents, and the script as the components send it.
  doctor: {
    folders: [
      "spec/problems",
      "plan",
      "components/script",
      "review/command",
      "review/options",
      "review/preview",
      "review/stack-file",
      "review/words",
    ],
    packages: ["ssh2", "node:*"],
  },
};

const folders = [...Object.keys(ROOMS), "tests", "tools", "stacks"];

function roomRule([room, allowed]) {
  const forbidden = folders.filter(
    (folder) => folder !== room && !allowed.folders.some((name) => name.split("/")[0] === folder),
  );
  const patterns = forbidden.map((folder) => ({
    regex: `^(\\.\\./)+${folder}(/|$)`,
    message: `${room}/ may not import ${folder}/: data flows catalogue, spec, plan, then components, review, doctor, fleet and policy.`,
  }));
  for (const folder of folders) {
    const files = allowed.folders.filter((name) => name.startsWith(`${folder}/`));
    if (files.length === 0) continue;
    const names = files.map((name) => name.slice(folder.length + 1));
    patterns.push({
      regex: `^(\\.\\./)+${folder}/(?!(${names.join("|")})$)`,
      message: `${room}/ may import only these of ${folder}/: ${names.join(", ")}.`,
    });
  }
  const packages = allowed.packages.map((name) => name.replaceAll("/", "\\/").replace("*", ".*")).join("|");
  patterns.push({
    regex: `^(?!\\.)(?!(${packages})(/|$))`,
    message: `${room}/ may import only: ${allowed.packages.join(", ")}.`,
  });
  return {
    files: [`${room}/**/*.ts`],
    rules: { "no-restricted-imports": ["error", { patterns }] },
  };
}

export default tseslint.config(
  { ignores: ["node_modules/**", ".cache/**", "coverage/**"] },
  {
    files: ["**/*.ts"],
    extends: [...tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { project: "../tsconfig.json", tsconfigRootDir: import.meta.dirname } },
    rules: {
      "@typescript-eslint/switch-exhaustiveness-check": ["error", { considerDefaultExhaustiveForUnions: true }],
      "@typescript-eslint/prefer-nullish-coalescing": "error",
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_" }],
      eqeqeq: "error",
      "no-console": "error",
    },
  },
  {
    // Size: a file or function that outgrows this is two things. The catalogue is one table on purpose.
    files: ["**/*.ts"],
    ignores: ["tests/**", "catalogue/chart-values/*.ts", "catalogue/ports.ts", "spec/schema.ts"],
    rules: {
      "max-lines": ["error", { max: 300, skipBlankLines: true, skipComments: true }],
      "max-lines-per-function": ["error", { max: 60, skipBlankLines: true, skipComments: true }],
    },
  },
  ...Object.entries(ROOMS).map(roomRule),
  {
    // Pure rooms: no clock, no randomness, no process.
    files: ["catalogue/**/*.ts", "spec/**/*.ts", "plan/**/*.ts"],
    rules: {
      "no-restricted-globals": ["error", "process", "Date", "fetch", "setTimeout"],
      "no-restricted-properties": ["error", { object: "Math", property: "random" }],
    },
  },
  {
    files: ["tests/**/*.ts"],
    rules: { "@typescript-eslint/no-non-null-assertion": "off" },
  },
);
