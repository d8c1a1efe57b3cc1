"""The SDK's built files, for any site that knows the address: they are public and hold no data."""

import hashlib
import re
from pathlib import Path

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".map": "application/json",
    ".json": "application/json",
}
_NAME = re.compile(r"^(?:[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}/)?[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}$")
ENTRY = "kriptik.js"


def dist_folder() -> Path:
    return Path(settings.BASE_DIR) / "sdk" / "dist"


@require_safe
def asset(request: HttpRequest, name: str) -> HttpResponse:
    """One file of sdk/dist. 404 for others, 503 with the remedy when the SDK was never built."""
    folder = dist_folder()
    if not (folder / ENTRY).is_file():
        message = "The SDK is not built. Run `npm ci && npm run build` in sdk/ (`make demo` does it)."
        return _open(JsonResponse({"error": {"code": "sdk_not_built", "message": message}}, status=503))
    path = folder / name
    kind = TYPES.get(path.suffix)
    # The pattern has no "..", and a link could only have been laid by the build itself.
    if kind is None or not _NAME.match(name) or not path.is_file():
        message = "The SDK has no such file."
        return _open(JsonResponse({"error": {"code": "not_found", "message": message}}, status=404))
    content = path.read_bytes()
    tag = f'"{hashlib.sha256(content).hexdigest()[:20]}"'
    if request.headers.get("If-None-Match") == tag:
        response = HttpResponse(status=304)
    else:
        response = HttpResponse(content, content_type=kind)
    response["ETag"] = tag
    # The files keep their names from version to version: five minutes, then a 304 by the tag.
    response["Cache-Control"] = "public, max-age=300"
    return _open(response)


def _open(response: HttpResponse) -> HttpResponse:
    response["Access-Control-Allow-Origin"] = "*"
    # A page with Cross-Origin-Embedder-Policy may load it too.
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response
