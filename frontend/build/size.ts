import { gzipSync } from "node:zlib";
import type { Plugin } from "vite";

/** Fails the build where scripts and styles together, compressed as servers do it, are larger than `limit` bytes. */
export function sizeLimit(limit: number): Plugin {
  return {
    name: "size-limit",
    apply: "build",
    enforce: "post",
    writeBundle(_options, bundle) {
      const total = Object.values(bundle)
        .filter(({ fileName }) => /\.(js|css)$/.test(fileName))
        .map((file) => gzipSync(file.type === "chunk" ? file.code : file.source).length)
        .reduce((sum, size) => sum + size, 0);
      if (total > limit) this.error(`The built files have ${total} bytes compressed; ${limit} are allowed.`);
      this.info(`${total} of ${limit} bytes, compressed`);
    },
  };
}
