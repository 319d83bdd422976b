import { createI18n, languageOf } from ".";
import en from "./locales/en.json";
import ja from "./locales/ja.json";

type Tree = { [key: string]: string | Tree };

function leaves(tree: Tree, path = ""): Map<string, string> {
  return new Map(
    Object.entries(tree).flatMap(([key, value]) =>
      typeof value === "string" ? [[path + key, value]] : [...leaves(value, `${path}${key}.`)],
    ),
  );
}

const plural = (key: string) => key.replace(/_(one|other)$/, "");
const names = (text: string) => [...text.matchAll(/\{\{(\w+)\}\}/g)].map((found) => found[1]).sort();

describe("the texts", () => {
  const english = leaves(en);
  const japanese = leaves(ja);

  it("have the same keys in both languages", () => {
    // Japanese has no form for one: `_one` stands in English alone.
    const expected = [...english.keys()].filter((key) => !key.endsWith("_one"));
    expect([...japanese.keys()].sort()).toEqual(expected.sort());
  });

  it("leave nothing empty, and each plural has both of its English forms", () => {
    expect([...english, ...japanese].filter(([, text]) => !text.trim())).toEqual([]);
    const others = [...english.keys()].filter((key) => key.endsWith("_other")).map(plural);
    const ones = [...english.keys()].filter((key) => key.endsWith("_one")).map(plural);
    expect(ones.sort()).toEqual(others.sort());
  });

  it("put the same values into both languages", () => {
    const different = [...japanese].filter(
      ([key, text]) => JSON.stringify(names(text)) !== JSON.stringify(names(english.get(key) ?? "")),
    );
    expect(different).toEqual([]);
  });

  it("are all used, and none is missing", async () => {
    const files = import.meta.glob("../**/*.{ts,tsx}", { query: "?raw", import: "default", eager: true });
    const source = Object.entries(files)
      .filter(([path]) => !path.includes(".test."))
      .map(([, text]) => String(text))
      .join("\n");
    const used = new Set([...source.matchAll(/\bt\(\s*["`]([\w.${}]+)["`]/g)].map((found) => found[1] ?? ""));
    const patterns = [...used].map((key) => new RegExp(`^${key.replace(/\$\{.*?\}/g, "\\w+")}$`));
    const keys = new Set([...english.keys()].map(plural));
    expect([...keys].filter((key) => !patterns.some((pattern) => pattern.test(key)))).toEqual([]);
    expect([...used].filter((key) => !key.includes("$") && !keys.has(key))).toEqual([]);
  });
});

describe("the language", () => {
  it.each([
    ["ja", "ja"],
    ["ja-JP", "ja"],
    ["en-gb", "en"],
    ["pt_BR", "en"],
  ])("of %s is %s", (code, language) => {
    expect(languageOf(code)).toBe(language);
  });

  it("has plurals as its people say them", () => {
    const { t } = createI18n("en", en);
    expect(t("usage.overVideos", { count: 1 })).toBe("1 video went past the limit.");
    expect(t("usage.overVideos", { count: 2 })).toBe("2 videos went past the limit.");
    expect(createI18n("ja", ja).t("usage.overVideos", { count: 1 })).toBe("上限を 1 本超えました。");
  });
});
