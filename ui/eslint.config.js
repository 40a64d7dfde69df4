// SPDX-License-Identifier: Apache-2.0

import eslint from "@eslint/js";
import reactHooks from "eslint-plugin-react-hooks";
import tseslint from "typescript-eslint";

// Who may import whom: each folder may use those named here and itself, and nothing else of ours.
const mayImport = { base: [], api: ["base"], widgets: ["base", "api"] };
const folders = ["base", "api", "widgets", "pages"];

const layers = Object.entries(mayImport).map(([folder, allowed]) => ({
  files: [`src/${folder}/**/*.{ts,tsx}`],
  rules: {
    "no-restricted-imports": [
      "error",
      {
        patterns: folders
          .filter((other) => other !== folder && !allowed.includes(other))
          .map((other) => ({ group: [`**/${other}/**`], message: `${folder} may not import ${other}` })),
      },
    ],
  },
}));

export default tseslint.config(
  { ignores: ["dist", "node_modules"] },
  eslint.configs.recommended,
  {
    files: ["**/*.{ts,tsx}"],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true }],
      "max-lines": ["error", 320],
    },
  },
  { files: ["**/*.tsx"], ...reactHooks.configs.flat.recommended },
  ...layers,
);
