import { defineConfig } from "vitest/config";

export default defineConfig({
  build: {
    target: "es2022",
    // The content security policy allows no data: URLs.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      output: {
        // The library changes less often than the page: a file of its own stays in the browser's cache.
        codeSplitting: { groups: [{ name: "socket.io", test: /node_modules/ }] },
      },
    },
  },
  test: { include: ["src/**/*.test.ts"] },
});
