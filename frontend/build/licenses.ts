import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Plugin } from "vite";

interface Manifest {
  name: string;
  version: string;
  license?: string;
}

/** Writes the licences of the packages of which something is in the built files. */
export function licenses(): Plugin {
  return {
    name: "third-party-licenses",
    apply: "build",
    generateBundle(_options, bundle) {
      const folders = new Set<string>();
      for (const file of Object.values(bundle)) {
        if (file.type !== "chunk") continue;
        for (const [id, { renderedLength }] of Object.entries(file.modules)) {
          const folder = renderedLength > 0 ? packageOf(id) : null;
          if (folder) folders.add(folder);
        }
      }
      // The stylesheet is Tailwind's work, though no module of it is in a chunk.
      folders.add(join(process.cwd(), "node_modules/tailwindcss"));
      const texts = [...folders].map(describe).sort();
      this.emitFile({
        type: "asset",
        fileName: "THIRD_PARTY_LICENSES.txt",
        source: `The built files contain code of these packages.\n\n${texts.join("\n")}`,
      });
    },
  };
}

function packageOf(id: string): string | null {
  if (!id.includes("/node_modules/")) return null;
  let folder = dirname(id.split("?")[0] ?? id);
  while (!hasName(folder)) folder = dirname(folder);
  return folder;
}

/** Some packages have nameless package.json files in their own folders. */
function hasName(folder: string): boolean {
  const path = join(folder, "package.json");
  return existsSync(path) && Boolean((JSON.parse(readFileSync(path, "utf8")) as Partial<Manifest>).name);
}

function describe(folder: string): string {
  const { name, version, license } = JSON.parse(
    readFileSync(join(folder, "package.json"), "utf8"),
  ) as Manifest;
  const file = readdirSync(folder)
    .sort()
    .find((entry) => /^licen[cs]e(\.(md|txt))?$/i.test(entry));
  const text = file ? readFileSync(join(folder, file), "utf8").replace(/\r\n/g, "\n").trim() : "";
  return `${"-".repeat(78)}\n${name} ${version} (${license ?? "see below"})\n\n${text}\n`;
}
