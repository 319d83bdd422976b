"""Make the media files in `samples/`: short, small, in several formats, and a set of broken ones.

Run by hand (`python example_project/make_samples.py`); its output is committed. Needs only PyAV.
"""

from __future__ import annotations

import math
import struct
from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

SAMPLES = Path(__file__).resolve().parent / "samples"
BROKEN = SAMPLES / "broken"

RATE = 48_000
FRAMES_PER_SECOND = 10
WIDTH, HEIGHT = 320, 180
WHITE, YELLOW, CYAN, GREEN = (
    (235, 235, 235, 255),
    (235, 235, 16, 255),
    (16, 235, 235, 255),
    (16, 235, 16, 255),
)
MAGENTA, RED, BLUE, BLACK = (235, 16, 235, 255), (235, 16, 16, 255), (16, 16, 235, 255), (0, 0, 0, 255)
BARS = (WHITE, YELLOW, CYAN, GREEN, MAGENTA, RED, BLUE)
LINE = bytes(BLACK) * 8


@dataclass(frozen=True, slots=True)
class Sample:
    name: str
    seconds: float
    audio: str
    audio_bit_rate: int
    video: str = ""
    rate: int = RATE
    options: tuple[tuple[str, str], ...] = ()


GOOD = (
    Sample("talk.mp4", 11.5, "aac", 48_000, "libx264", options=(("movflags", "+faststart"),)),
    Sample("screencast.webm", 7.6, "libopus", 32_000, "vp8"),
    Sample("interview.mp3", 94.7, "libmp3lame", 8_000, rate=16_000),
    Sample("memo.m4a", 30.4, "aac", 24_000, rate=16_000),
    Sample("jingle.wav", 2.8, "pcm_s16le", 0, rate=8_000),
    Sample("lecture.ogg", 19.5, "libopus", 16_000),
    Sample("chime.flac", 5.2, "flac", 0, rate=8_000),
)


def main() -> None:
    BROKEN.mkdir(parents=True, exist_ok=True)
    for sample in GOOD:
        write_media(SAMPLES / sample.name, sample)
    write_broken(whole=(SAMPLES / "talk.mp4").read_bytes())


def write_media(path: Path, sample: Sample) -> None:
    """Write a tone that changes every second and, for a video, colour bars with a line moving across."""
    options = {"fflags": "+bitexact", **dict(sample.options)}  # no random ids: the same bytes every time
    with av.open(str(path), "w", options=options) as out:
        audio: Any = out.add_stream(sample.audio, rate=sample.rate, layout="mono")
        if sample.audio_bit_rate:
            audio.bit_rate = sample.audio_bit_rate
        if sample.video:
            video: Any = out.add_stream(sample.video, rate=FRAMES_PER_SECOND)
            video.width, video.height, video.pix_fmt, video.bit_rate = WIDTH, HEIGHT, "yuv420p", 60_000
            for frame in picture_frames(sample.seconds):
                out.mux(video.encode(frame))
            out.mux(video.encode(None))
        context = audio.codec_context
        out.start_encoding()
        resampler = av.AudioResampler(context.format, "mono", sample.rate, context.frame_size or None)
        for block in tone_frames(sample.seconds, sample.rate):
            for part in resampler.resample(block):
                out.mux(audio.encode(part))
        for part in resampler.resample(None):
            out.mux(audio.encode(part))
        out.mux(audio.encode(None))


def picture_frames(seconds: float) -> Iterable[av.VideoFrame]:
    bars = b"".join(bytes(BARS[x * len(BARS) // WIDTH]) for x in range(WIDTH))
    count = round(seconds * FRAMES_PER_SECOND)
    for index in range(count):
        x = 4 * ((WIDTH - 8) * index // count)
        row = bars[:x] + LINE + bars[x + len(LINE) :]
        frame = av.VideoFrame.from_bytes(row * HEIGHT, WIDTH, HEIGHT, format="rgba").reformat(
            format="yuv420p"
        )
        frame.pts, frame.time_base = index, Fraction(1, FRAMES_PER_SECOND)
        yield frame


def tone_frames(seconds: float, rate: int) -> Iterable[av.AudioFrame]:
    total = round(seconds * rate)
    for start in range(0, total, rate):
        length = min(rate, total - start)
        pitch = 330 * 2 ** ((start // rate) % 5 / 12)
        wave = array("h", (round(9000 * math.sin(2 * math.pi * pitch * n / rate)) for n in range(length)))
        frame = av.AudioFrame(format="s16", layout="mono", samples=length)
        frame.planes[0].update(wave.tobytes().ljust(frame.planes[0].buffer_size, b"\0"))
        frame.rate, frame.pts, frame.time_base = rate, start, Fraction(1, rate)
        yield frame


def write_broken(whole: bytes) -> None:
    """Write files that the upload page must refuse; `whole` is a good mp4 with its index in front."""
    (BROKEN / "empty.mp4").write_bytes(b"")
    (BROKEN / "truncated.mp4").write_bytes(whole[: len(whole) * 3 // 5])
    (BROKEN / "not-media.mp4").write_bytes(b"This is a letter, not a film.\n" * 40)
    (BROKEN / "zero-seconds.wav").write_bytes(
        b"RIFF" + struct.pack("<I", 36) + b"WAVEfmt " + struct.pack("<IHHIIHH", 16, 1, 1, 8000, 16000, 2, 16)
        + b"data" + struct.pack("<I", 0)
    )  # fmt: skip
    # An HLS playlist under another name: a player that believes it would open the address inside.
    (BROKEN / "playlist.mp4").write_bytes(
        b"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nhttp://127.0.0.1:9/segment.ts\n#EXT-X-ENDLIST\n"
    )


if __name__ == "__main__":
    main()
