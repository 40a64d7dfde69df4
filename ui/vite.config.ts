// SPDX-License-Identifier: Apache-2.0
//
// Builds the page into dist/: one HTML file and hashed assets, nothing inlined, so that the server's content security
// policy (scripts from 'self' only) holds. `npm run dev` forwards /api to a server on its default port.

import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

export default defineConfig({
  plugins: [react()],
  build: {
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 700,
  },
  server: { proxy: { "/api": "http://127.0.0.1:16686" } },
  test: {
    environment: "jsdom",
    include: ["src/**/*.test.{ts,tsx}"],
    setupFiles: ["src/testing/dom.ts"],
  },
});
