import { readFileSync } from "node:fs"
import { defineConfig } from "vite"
import solid from "vite-plugin-solid"

const version: unknown = (
  JSON.parse(readFileSync(new URL("./package.json", import.meta.url), "utf8")) as { version: unknown }
).version

/** The console. No script or style stands inside index.html: the server's policy is default-src 'self'. */
export default defineConfig({
  root: "ui",
  plugins: [solid()],
  define: { __CONSOLE_VERSION__: JSON.stringify(version) },
  build: {
    outDir: process.env["CONSOLE_OUT_DIR"] ?? "../.build/console",
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: ["chrome123", "firefox120", "safari17.5"],
    cssTarget: ["chrome123", "firefox120", "safari17.5"]
  },
  server: {
    port: 5173,
    strictPort: true,
    proxy: {
      "/api": { target: "https://localhost:8443", changeOrigin: true, secure: false, ws: true },
      "/status": { target: "https://localhost:8443", changeOrigin: true, secure: false }
    }
  }
})
