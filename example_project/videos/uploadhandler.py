from __future__ import annotations

from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler

from example_project.videos.media import max_upload_bytes


class StopKeepingHandler(FileUploadHandler):
    """Stops keeping a request's bytes once they are over the limit; the form then refuses the file by its
    size. Without it a huge upload would fill the disk before any view is asked.
    """

    kept = 0

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes | None:
        if self.kept > max_upload_bytes():
            return None
        self.kept += len(raw_data)
        return raw_data

    def file_complete(self, file_size: int) -> UploadedFile[Any] | None:
        return None
