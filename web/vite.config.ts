import { defineConfig } from "vite";

const server = process.env.DEARDIARY_URL ?? "http://127.0.0.1:9000";

export default defineConfig({
  // Chunks import each other relatively; the server writes absolute URLs into index.html.
  base: "./",
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    // The server serves one flat folder of text files.
    assetsDir: "",
    assetsInlineLimit: 0,
    cssCodeSplit: false,
    // The page names the chunks that its first script imports, so that they are fetched together.
    modulePreload: { polyfill: false },
    rolldownOptions: {
      // Each chunk is a request: the small parts that all pages share are one.
      output: {
        codeSplitting: { groups: [{ name: "shared", test: /src.(components|state|api)|node_modules.@?preact/ }] },
      },
    },
    reportCompressedSize: false,
    target: "es2023",
  },
  server: {
    port: 5173,
    strictPort: true,
    proxy: { "/api": { target: server, changeOrigin: true, rewrite: (path) => path.slice("/api".length) } },
  },
});
