"""A one-page PDF of text rows: all that an invoice needs."""

from __future__ import annotations

from collections.abc import Iterable

LEFT, RIGHT, TOP = 56, 540, 770
DIGIT, NARROW = 0.556, {",": 0.278, ".": 0.278, " ": 0.278, "-": 0.333}  # Helvetica's, of the font size
FONTS = (
    b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    # Japanese, from the reader's own fonts; its Latin letters are half as wide as the others.
    b"<< /Type /Font /Subtype /Type0 /BaseFont /HeiseiKakuGo-W5 /Encoding /UniJIS-UTF16-H /DescendantFonts [7 0 R] >>",
    b"<< /Type /Font /Subtype /CIDFontType0 /BaseFont /HeiseiKakuGo-W5 /DW 1000 /W [1 632 500] "
    b"/CIDSystemInfo << /Registry (Adobe) /Ordering (Japan1) /Supplement 4 >> /FontDescriptor 8 0 R >>",
    b"<< /Type /FontDescriptor /FontName /HeiseiKakuGo-W5 /Flags 4 /FontBBox [0 -200 1000 900] /ItalicAngle 0 "
    b"/Ascent 880 /Descent -120 /CapHeight 740 /StemV 50 >>",
)


def document(rows: Iterable[tuple[str, str, int]]) -> bytes:
    """Rows are (text at the left margin, text ending at the right margin, font size)."""
    content = _content(rows)
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R "
        b"/Resources << /Font << /F1 5 0 R /F2 6 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content),
        *FONTS,
    ]
    body, offsets = b"%PDF-1.4\n", []
    for number, item in enumerate(objects, 1):
        offsets.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, item)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    return body + (
        b"xref\n0 %d\n0000000000 65535 f \n%strailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n"
        % (len(objects) + 1, table, len(objects) + 1, len(body))
    )


def _content(rows: Iterable[tuple[str, str, int]]) -> bytes:
    parts, y = [], TOP
    for left, right, size in rows:
        if left:
            parts.append(_text(left, LEFT, y, size))
        if right:
            parts.append(_text(right, RIGHT - _width(right) * size, y, size))
        y -= size + 8
    return b"\n".join(parts)


def _width(text: str) -> float:
    """Of the font size: exact for amounts, near enough for names."""
    return sum(1 if character >= "\u2e80" else NARROW.get(character, DIGIT) for character in text)


def _text(text: str, x: float, y: float, size: int) -> bytes:
    try:
        encoded = text.encode("cp1252")
    except UnicodeEncodeError:
        wide = text.replace("\u00a5", "\uffe5")  # the narrow yen sign is a backslash in many Japanese fonts
        return b"BT /F2 %d Tf %.1f %.1f Td <%s> Tj ET" % (size, x, y, wide.encode("utf-16-be").hex().encode())
    for special in (b"\\", b"(", b")"):
        encoded = encoded.replace(special, b"\\" + special)
    return b"BT /F1 %d Tf %.1f %.1f Td (%s) Tj ET" % (size, x, y, encoded)
