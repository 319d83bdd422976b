import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

/** The package for hosts with a React of their own: nothing bundled that npm can install. */
export default defineConfig({
  plugins: [react(), tailwindcss()],
  build: {
    target: "es2022",
    minify: false,
    lib: { entry: "src/package.ts", formats: ["es"], fileName: "index", cssFileName: "style" },
    rolldownOptions: { external: /^(react|react-dom|i18next|@tanstack|@radix-ui)(\/|$)/ },
  },
});
