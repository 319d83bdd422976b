from __future__ import annotations

import contextlib
import io
from pathlib import Path
from typing import Any

import av
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from example_project import make_samples
from example_project.make_samples import Sample
from example_project.videos import media
from example_project.videos.uploadhandler import StopKeepingHandler
from tests.example.conftest import BROKEN, SAMPLES


def made(path: Path, *, options: tuple[tuple[str, str], ...] = (), video: str = "") -> media.MediaInfo:
    codec = "libopus" if path.suffix == ".webm" else "aac"
    make_samples.write_media(path, Sample(path.name, 2.4, codec, 32_000, video, options=options))
    with path.open("rb") as file:
        return media.probe(file)


def test_a_fragmented_mp4_as_browsers_record_it(tmp_path: Path) -> None:
    info = made(tmp_path / "a.mp4", options=(("movflags", "frag_keyframe+empty_moov"),), video="libx264")

    assert info.seconds == pytest.approx(2.5, abs=0.15)  # this encoder shows its pictures 0.2 s late
    assert info.has_video


def test_a_live_webm_without_a_duration_in_its_header(tmp_path: Path) -> None:
    info = made(tmp_path / "a.webm", options=(("live", "1"),))

    assert info.declared_seconds is None
    assert info.seconds == pytest.approx(2.4, abs=0.05)
    assert info.content_type == "audio/webm"


@pytest.mark.parametrize("name", ["talk.mp4", "screencast.webm", "memo.m4a", "chime.flac"])
@pytest.mark.parametrize("share", [0.2, 0.5])
def test_a_file_without_its_end_is_damaged(name: str, share: float) -> None:
    content = (SAMPLES / name).read_bytes()

    with pytest.raises(media.BadMedia) as caught:
        media.probe(io.BytesIO(content[: int(len(content) * share)]))

    assert caught.value.code == "damaged"


def test_a_cut_mp3_is_simply_shorter() -> None:
    """Streams without a true length in their header count as what is there, whatever the header estimates."""
    content = (SAMPLES / "interview.mp3").read_bytes()

    assert media.probe(io.BytesIO(content[: len(content) // 2])).seconds == pytest.approx(47.4, abs=0.2)


def test_one_frame_in_a_films_container_is_no_film(tmp_path: Path) -> None:
    path = tmp_path / "photo.mp4"
    with av.open(str(path), "w") as out:
        stream: Any = out.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        out.mux(stream.encode(av.VideoFrame(64, 64, "yuv420p")))
        out.mux(stream.encode(None))

    with path.open("rb") as file, pytest.raises(media.BadMedia) as caught:
        media.probe(file)

    assert caught.value.code == "no_length"


def test_the_file_is_left_at_its_beginning() -> None:
    for path in (SAMPLES / "talk.mp4", BROKEN / "not-media.mp4"):
        with path.open("rb") as file:
            with contextlib.suppress(media.BadMedia):
                media.probe(file)
            assert file.tell() == 0


def test_a_file_that_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(media, "READING_SECONDS", -1)

    with (SAMPLES / "talk.mp4").open("rb") as file, pytest.raises(media.BadMedia) as caught:
        media.probe(file)

    assert caught.value.code == "too_slow"


def test_the_committed_samples_stay_small() -> None:
    assert sum(path.stat().st_size for path in SAMPLES.rglob("*") if path.is_file()) < 600_000


def test_bytes_beyond_the_limit_are_not_kept(settings: Any) -> None:
    settings.VIDEOQ_MAX_UPLOAD_BYTES = 1000
    handler = StopKeepingHandler()

    kept = [handler.receive_data_chunk(bytes(400), start) for start in range(0, 4000, 400)]

    assert sum(len(chunk) for chunk in kept if chunk) == 1200
    with pytest.raises(media.BadMedia, match="larger"):
        media.check_size(1200)


def test_a_file_in_memory_and_one_on_disk_are_read_alike() -> None:
    content = (SAMPLES / "lecture.ogg").read_bytes()

    in_memory = media.probe(SimpleUploadedFile("a.ogg", content).file)  # type: ignore[arg-type]

    with (SAMPLES / "lecture.ogg").open("rb") as file:
        assert media.probe(file) == in_memory
