"""Reading an uploaded file's real length with PyAV (FFmpeg's libraries), without trusting the file.

Packets are read and never decoded, so even a long video takes a moment. Only the formats below are opened:
FFmpeg would otherwise recognise playlists by their content and open the addresses inside. A busy public
site would also do this in a separate process with limited memory.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import IO, Any

import av
from av.error import FFmpegError
from av.stream import Disposition
from django.conf import settings
from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

LONGEST_HOURS = 12
SHORTEST_SECONDS = 0.1  # a photo in a film's container is one frame long
READING_SECONDS = 30
TOLERANCE_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Format:
    """A container we accept. `declares_length`: a shorter content means that the end is missing."""

    name: str
    declares_length: bool
    video: tuple[str, str] | None
    audio: tuple[str, str]


FORMATS = (
    Format("mp4", True, ("mp4", "video/mp4"), ("m4a", "audio/mp4")),
    Format("webm", True, ("webm", "video/webm"), ("weba", "audio/webm")),
    Format("mp3", False, None, ("mp3", "audio/mpeg")),
    Format("wav", False, None, ("wav", "audio/wav")),
    Format("flac", True, None, ("flac", "audio/flac")),
    Format("ogg", False, ("ogv", "video/ogg"), ("ogg", "audio/ogg")),
)

_OPTIONS = {
    "format_whitelist": ",".join(accepted.name for accepted in FORMATS),
    "protocol_whitelist": "none",
    "max_streams": "32",
}


@dataclass(frozen=True, slots=True)
class MediaInfo:
    """What a file really holds. `declared_seconds` is the header's word, `seconds` what was found."""

    declared_seconds: float | None
    seconds: float
    has_video: bool
    extension: str
    content_type: str


class BadMedia(Exception):
    """The file cannot be used; the message says why, in the reader's language."""

    def __init__(self, code: str, message: str | Promise) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def max_upload_bytes() -> int:
    return int(getattr(settings, "VIDEOQ_MAX_UPLOAD_BYTES", 200 * 1024 * 1024))


def check_size(size: int | None) -> None:
    if not size:
        raise BadMedia("empty", _("This file is empty."))
    if size > max_upload_bytes():
        raise BadMedia(
            "too_large",
            format_lazy(_("This file is larger than {limit} MB."), limit=max_upload_bytes() // 1024**2),
        )


def probe(file: IO[bytes]) -> MediaInfo:
    """Return what the file really holds; raises BadMedia. The file is left at its beginning."""
    file.seek(0)
    head = file.read(12)
    file.seek(0)
    try:
        with av.open(_Nameless(file), options=_OPTIONS, metadata_errors="ignore") as container:
            return _read(container)
    except (FFmpegError, ValueError, OverflowError) as error:
        if _looks_like_media(head):
            raise BadMedia("damaged", _("This file is incomplete or damaged.")) from error
        raise BadMedia("not_media", _("This is not a video or audio file that we can read.")) from error
    finally:
        file.seek(0)


class _Nameless:
    """Only reading and seeking: FFmpeg shall judge by the content, never by a name or a path."""

    def __init__(self, file: IO[bytes]) -> None:
        self.read = file.read
        self.seek = file.seek
        self.tell = file.tell


def _looks_like_media(head: bytes) -> bool:
    starts = (b"\x1aE\xdf\xa3", b"ID3", b"fLaC", b"OggS")
    return head.startswith(starts) or head[4:8] == b"ftyp" or (head[:4] == b"RIFF" and head[8:] == b"WAVE")


def _read(container: Any) -> MediaInfo:
    names = container.format.name.replace("matroska", "webm").split(",")
    accepted = next(known for known in FORMATS if known.name in names)
    streams = [
        stream
        for stream in container.streams
        if stream.type in ("audio", "video") and not stream.disposition & Disposition.attached_pic
    ]
    if not streams:
        raise BadMedia("no_stream", _("This file has neither sound nor picture."))
    declared = container.duration / av.time_base if container.duration else None
    _check_length(declared)
    measured = _measure(container, streams)
    if accepted.declares_length and declared is not None and measured < declared - max(1.0, declared / 100):
        raise BadMedia("damaged", _("This file is incomplete or damaged."))
    if measured < SHORTEST_SECONDS:
        raise BadMedia("no_length", _("This file is 0 seconds long."))
    _check_length(measured)
    agrees = declared is not None and abs(declared - measured) <= TOLERANCE_SECONDS
    has_video = any(stream.type == "video" for stream in streams)
    extension, content_type = (has_video and accepted.video) or accepted.audio
    return MediaInfo(
        declared_seconds=declared,
        # Packets are coarser than the header, which leaves out an encoder's padding; so it wins if honest.
        seconds=declared if agrees and declared is not None else measured,
        has_video=has_video,
        extension=extension,
        content_type=content_type,
    )


def _measure(container: Any, streams: list[Any]) -> float:
    """Return the seconds from the first packet to the end of the last one."""
    deadline = time.monotonic() + READING_SECONDS
    first, last = float("inf"), 0.0
    for number, packet in enumerate(container.demux(streams)):
        if number % 1000 == 0 and time.monotonic() > deadline:
            raise BadMedia("too_slow", _("This file takes too long to read."))
        stamp = packet.dts if packet.pts is None else packet.pts
        if stamp is None or packet.time_base is None:
            continue
        first = min(first, float(stamp * packet.time_base))
        last = max(last, float((stamp + (packet.duration or 0)) * packet.time_base))
    # A negative first stamp is an encoder's run-up, which no player plays.
    return max(last - max(first, 0.0), 0.0) if last else 0.0


def _check_length(seconds: float | None) -> None:
    if seconds is not None and not 0 <= seconds <= LONGEST_HOURS * 3600:
        raise BadMedia(
            "too_long", format_lazy(_("This file is longer than {hours} hours."), hours=LONGEST_HOURS)
        )
