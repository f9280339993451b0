import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vitest/config";

export default defineConfig({
  plugins: [svelte()],
  clearScreen: false,
  // The desktop shell looks for the development server exactly here.
  server: { host: "127.0.0.1", port: 1420, strictPort: true },
  build: {
    // The oldest web views that know `light-dark()`, which the tokens are made of.
    target: ["safari17.5", "chrome123"],
    // The page is read from the disk beside the binary: nothing to preload.
    modulePreload: false,
    assetsInlineLimit: 0,
  },
  test: { include: ["src/**/*.test.ts"] },
  // Tests run the window's own runes, not those for rendering on a server.
  resolve: process.env["VITEST"] ? { conditions: ["browser"] } : {},
});
