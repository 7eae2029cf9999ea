import js from "@eslint/js";
import hooks from "eslint-plugin-react-hooks";
import ts from "typescript-eslint";

export default ts.config(
  { ignores: ["dist", "screens", "src/api/schema.d.ts"] },
  js.configs.recommended,
  {
    files: ["src/**/*.{ts,tsx}", "test/**/*.ts", "vite.config.ts"],
    extends: [...ts.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true } },
    plugins: { "react-hooks": hooks },
    rules: {
      "react-hooks/rules-of-hooks": "error",
      "no-console": "error",
      eqeqeq: "error",
      // Numbers in templates are meant.
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      // `() => set(x)` is how handlers are written.
      "@typescript-eslint/no-confusing-void-expression": "off",
      // The server may be newer than these types: checks that look needless are not.
      "@typescript-eslint/no-unnecessary-condition": "off",
    },
  },
  {
    files: ["dev/**/*.mjs", "e2e/**/*.mjs", "eslint.config.js"],
    languageOptions: {
      globals: {
        process: "readonly",
        console: "readonly",
        URL: "readonly",
        fetch: "readonly",
        setTimeout: "readonly",
        setInterval: "readonly",
        document: "readonly",
        innerWidth: "readonly",
        globalThis: "readonly",
      },
    },
  },
);
