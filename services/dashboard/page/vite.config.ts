import { defineConfig } from "vitest/config";

// A real dashboard, or the fixture of `npm run fixture`.
const target = process.env["DASHBOARD_URL"] ?? "http://127.0.0.1:8090";

export default defineConfig({
  base: "/observability/",
  esbuild: { jsx: "automatic", jsxImportSource: "preact" },
  build: {
    target: "es2022",
    outDir: "dist",
    assetsDir: "assets",
    // The policy forbids inline scripts and data: URLs of anything but images.
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    cssCodeSplit: false,
    reportCompressedSize: false,
  },
  server: {
    port: 5173,
    proxy: {
      "/observability/api": { target, changeOrigin: true },
      "/observability/ws": { target, ws: true, changeOrigin: true },
    },
  },
  test: { include: ["test/**/*.test.ts"], environment: "node" },
});
