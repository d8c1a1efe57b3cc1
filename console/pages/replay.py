"""The replay of a recording: hostile data, shown on a page of its own that may load nothing.

Measured with a recording of fifteen attacks: rrweb's player runs no script of the recording (its iframe
has no allow-scripts), and under this policy the browser asks no foreign server for anything.
"""

import gzip
import io

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_GET

from console.site import owner_site
from incidents.models import Recording, Report

REPLAY_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src data: blob:; "
    "font-src data:; connect-src 'self'; frame-src 'none'; object-src 'none'; base-uri 'none'; "
    "form-action 'none'; media-src data: blob:; frame-ancestors 'self'"
)
MAX_CHUNK_BYTES = 20 * 1024 * 1024  # decoded; a small gzip can hide a large one


@owner_site.page("replay/<str:report_id>/", "replay")
@require_GET
@xframe_options_sameorigin
def replay_page(request: HttpRequest, report_id: str) -> HttpResponseBase:
    report = Report.objects.filter(pk=report_id).first()
    if report is None:
        raise Http404("There is no such report.")
    sequences = list(Recording.objects.filter(report=report).values_list("seq", flat=True))
    response = render(request, "console/replay.html", {"report": report, "sequences": sequences})
    response.headers["Content-Security-Policy"] = REPLAY_CSP
    return response


@owner_site.page("replay/<str:report_id>/<int:seq>/", "replay_chunk")
@require_GET
def replay_chunk(request: HttpRequest, report_id: str, seq: int) -> HttpResponseBase:
    """One chunk, decoded: a JSON array of rrweb events, never parsed here."""
    chunk = Recording.objects.filter(report_id=report_id, seq=seq).first()
    if chunk is None:
        raise Http404("There is no such chunk.")
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(bytes(chunk.blob))) as file:
            body = file.read(MAX_CHUNK_BYTES + 1)
    except (OSError, EOFError) as error:
        raise Http404("This chunk is damaged.") from error
    if len(body) > MAX_CHUNK_BYTES:
        raise Http404("This chunk is too large to show.")
    response = HttpResponse(body, content_type="application/json")
    response.headers["Content-Disposition"] = "attachment"  # opened by itself it is a file, not a page
    return response
