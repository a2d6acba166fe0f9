import { defineConfig, type Plugin } from "vite";

const server = process.env.DEARDIARY_URL ?? "http://127.0.0.1:9000";

/** What several pages share is one chunk, for each chunk is a request. The first script has modules of its own. */
const SHARED = new RegExp(
  [
    "node_modules.@?preact",
    "src.(components|state.(?!location|kept)|api.(?!url))",
    "src.(pages.parents|alerts.rules-button|models.(files-in-use|read-again)|charts.(index|of-table)|table.columns.columns)",
  ].join("|"),
);

/** Run the first script as soon as it is here: as an import it would wait for the others. */
const startFirst: Plugin = {
  name: "start-first",
  transformIndexHtml: {
    order: "post",
    handler: (html) => {
      const [link, url] = /<link rel="modulepreload" crossorigin href="(\.\/start-[\w-]+\.js)">/.exec(html) ?? [];
      if (!link) return html;
      return html
        .replace(link, "")
        .replace("<script", `<script type="module" async crossorigin src="${url}"></script>\n  <script`);
    },
  },
};

export default defineConfig({
  // Chunks import each other relatively; the server writes absolute URLs into index.html.
  base: "./",
  plugins: [startFirst],
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
        codeSplitting: {
          groups: [
            { name: "start", test: /src.start.start/, priority: 1, includeDependenciesRecursively: true },
            { name: "shared", test: SHARED, includeDependenciesRecursively: false },
          ],
        },
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
