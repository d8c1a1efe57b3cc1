"""Cross-origin answers: exact origins, no credentials (nothing here reads a cookie)."""

from django.http import HttpRequest, HttpResponse

from incidents.models import Host

PREFLIGHT_S = 600


def origin_of(request: HttpRequest) -> str | None:
    return request.headers.get("Origin")


def origin_known(origin: str | None) -> bool:
    """Whether some host lists this origin; a preflight carries no key, so more can't be asked."""
    if not origin:
        return False
    # Few hosts: reading their lists is cheaper than a JSON query that SQLite and PostgreSQL spell apart.
    return any(origin in origins for origins in Host.objects.values_list("origins", flat=True))


def allow(response: HttpResponse, origin: str | None) -> HttpResponse:
    """Lets this very origin read the response; without an origin only says that the answer varies."""
    response["Vary"] = "Origin"
    if origin:
        response["Access-Control-Allow-Origin"] = origin
        response["Access-Control-Expose-Headers"] = "Retry-After"
    return response


def preflight(request: HttpRequest) -> HttpResponse:
    """204 with the permission for a known origin, 403 for any other."""
    origin = origin_of(request)
    if not origin_known(origin):
        return allow(HttpResponse(status=403), None)
    response = allow(HttpResponse(status=204), origin)
    response["Access-Control-Allow-Methods"] = "POST"
    response["Access-Control-Allow-Headers"] = "content-type"
    response["Access-Control-Max-Age"] = str(PREFLIGHT_S)
    return response
