"""The Japanese texts, without GNU gettext: `python scripts/messages.py update`, `compile` or `check`.

`update` puts every text of the sources into the .po files and keeps what is translated, `compile` writes the
.mo files that Django reads, and `check` says what is missing, unfinished or out of date (tests run it, too).
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

ROOT = Path(__file__).parent.parent
LANGUAGE = "ja"
HEADERS = (
    f"Language: {LANGUAGE}",
    "Plural-Forms: nplurals=1; plural=0;",
    "MIME-Version: 1.0",
    "Content-Type: text/plain; charset=utf-8",
    "Content-Transfer-Encoding: 8bit",
)
KEYWORDS = {
    "_": None,
    **dict.fromkeys(["gettext", "gettext_lazy", "gettext_noop"], None),
    **dict.fromkeys(["ngettext", "ngettext_lazy"], (1, 2)),
    **dict.fromkeys(["pgettext", "pgettext_lazy"], ((1, "c"), 2)),
    **dict.fromkeys(["npgettext", "npgettext_lazy"], ((1, "c"), 2, 3)),
}
PLACEHOLDER = re.compile(r"%\(\w+\)\w|%.?|\{\w*\}")


class Messages(Catalog):
    """Babel's catalogue with a header that says nothing of when, where and with what it was written."""

    def __iter__(self) -> Iterator[Message]:
        for message in super().__iter__():
            if not message.id:
                message.string = "".join(f"{line}\n" for line in HEADERS)
            yield message


@dataclass(frozen=True)
class App:
    """A Django app and the two files of its Japanese texts."""

    path: str

    @property
    def po(self) -> Path:
        return ROOT / self.path / "locale" / LANGUAGE / "LC_MESSAGES" / "django.po"

    @property
    def mo(self) -> Path:
        return self.po.with_suffix(".mo")

    def sources(self) -> Iterator[bytes]:
        """Every file that may hold texts, as Python: templates are turned into calls of gettext first."""
        for path in sorted((ROOT / self.path).rglob("*.py")):
            if "migrations" not in path.parts:
                yield path.read_bytes()
        for path in sorted((ROOT / self.path).rglob("templates/**/*.*")):
            lines = templatize(path.read_text(encoding="utf-8")).splitlines()
            yield "\n".join(line.strip() for line in lines).encode()

    def extracted(self) -> Messages:
        texts = empty(f"Japanese texts of {self.path.replace('/', '.')}. Made by scripts/messages.py.")
        for source in self.sources():
            for _line, text, _comments, context in extract("python", BytesIO(source), KEYWORDS):
                entry = texts.add(text, context=context)
                if not any("%(" in form for form in ids(text)):  # Babel and msgfmt take "80 % of" for "%o"
                    entry.flags.discard("python-format")
        return texts

    def translated(self) -> Catalog:
        if not self.po.exists():
            return empty("")
        with self.po.open("rb") as file:
            return read_po(file, locale=LANGUAGE)

    def updated(self) -> bytes:
        """The .po file as it should be: the texts of the sources, with the translations there are."""
        texts, translated = self.extracted(), self.translated()
        for text in texts:
            known = translated.get(text.id, context=text.context)
            if text.id and known and known.id == text.id:
                text.string = known.string
                text.flags |= known.flags & {"fuzzy"}
                text.user_comments = known.user_comments
        return written(texts)

    def compiled(self) -> bytes:
        texts = empty("")
        for text in self.translated():
            if text.id:
                texts[text.id] = text
        file = BytesIO()
        write_mo(file, texts)
        return file.getvalue()

    def update(self) -> None:
        text = self.updated()
        self.po.parent.mkdir(parents=True, exist_ok=True)
        self.po.write_bytes(text)

    def compile(self) -> None:
        self.mo.write_bytes(self.compiled())

    def problems(self) -> list[str]:
        """What keeps the two files from being complete, one sentence each."""
        wanted, translated = keys(self.extracted()), keys(self.translated())
        found = [f"{text!r} is not in the .po file: run update" for text in wanted.keys() - translated.keys()]
        found += [f"{text!r} is in no source: run update" for text in translated.keys() - wanted.keys()]
        found += [f"{text!r} is obsolete: run update" for text in self.translated().obsolete]
        found += [f"{text!r} {flaw}" for text, entry in translated.items() for flaw in flaws(entry)]
        if not found and self.po.read_bytes() != self.updated():
            found.append("the .po file is not as update writes it")
        if not self.mo.exists() or self.mo.read_bytes() != self.compiled():
            found.append("the .mo file is not what the .po file compiles to: run compile")
        return sorted(f"{self.path}: {problem}" for problem in found)


APPS = (App("django_videoq_billing"), App("example_project/videos"))


def empty(comment: str) -> Messages:
    return Messages(locale=LANGUAGE, header_comment=f"# {comment}", fuzzy=False)


def written(texts: Messages) -> bytes:
    file = BytesIO()
    write_po(file, texts, width=0, no_location=True, sort_output=True, ignore_obsolete=True)
    return file.getvalue()


def keys(texts: Catalog) -> dict[tuple[str, ...], Message]:
    """The entries by all that a source says of them: context, singular and plural."""
    return {(*([text.context] if text.context else []), *ids(text.id)): text for text in texts if text.id}


def ids(text: object) -> tuple[str, ...]:
    """Singular and plural, or all forms of a translation; one text where there is no plural."""
    return tuple(map(str, text)) if isinstance(text, list | tuple) else (str(text),)


def flaws(entry: Message) -> Iterator[str]:
    """What is wrong with one translation."""
    expected = {name for text in ids(entry.id) for name in PLACEHOLDER.findall(text)}
    for text in ids(entry.string):
        if not text.strip():
            yield "is not translated"
        elif set(PLACEHOLDER.findall(text)) != expected:
            yield f"and its translation {text!r} differ in their placeholders"
    if len(ids(entry.string)) != 1:
        yield "has more than the one form of Japanese"
    if entry.fuzzy:
        yield "is marked fuzzy"


def problems() -> list[str]:
    return [problem for app in APPS for problem in app.problems()]


def main(arguments: list[str]) -> str | int:
    """Do one of the commands; return the exit code, or what to complain of."""
    if arguments == ["check"]:
        return "\n".join(problems()) or 0
    if arguments not in (["update"], ["compile"]):
        return str(__doc__)
    for app in APPS:
        app.update() if arguments == ["update"] else app.compile()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
