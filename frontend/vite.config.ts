import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";
import { licenses } from "./build/licenses.ts";
import { sizeLimit } from "./build/size.ts";

const PAGE = "../django_videoq_billing/static/django_videoq_billing/page";

export default defineConfig({
  plugins: [react(), tailwindcss(), licenses(), sizeLimit(150_000)],
  base: "./",
  // `npm run dev` beside a Django of one's own: its API on the same origin, cookies and all.
  server: { proxy: { "/api": process.env.DJANGO_URL ?? "http://127.0.0.1:8000" } },
  build: {
    outDir: PAGE,
    emptyOutDir: true,
    manifest: "manifest.json",
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      input: "src/main.tsx",
      output: {
        codeSplitting: {
          // The entry must be imported by no chunk: Django may serve it under a second name (a hash of its own).
          groups: [
            {
              name: "vendor",
              test: /node_modules[\\/](react|react-dom|scheduler|@tanstack|i18next)[\\/]/,
              priority: 2,
            },
            { name: "app", test: /src[\\/]start\.tsx$/, priority: 1 },
          ],
        },
      },
    },
  },
  test: {
    environment: "jsdom",
    globals: true,
    setupFiles: ["src/test/setup.ts"],
    include: ["src/**/*.test.{ts,tsx}"],
    restoreMocks: true,
    silent: "passed-only",
    testTimeout: 20_000, // machines of CI are slow at times
    coverage: {
      provider: "v8",
      include: ["src/**/*.{ts,tsx}"],
      exclude: [
        "src/types/**",
        "src/test/**",
        "src/main.tsx",
        "src/index.ts",
        "src/package.ts",
        "**/__tests__/**",
      ],
      reporter: ["text-summary"],
      thresholds: { lines: 80, branches: 80, functions: 80, statements: 80 },
    },
  },
});
