"""The pages."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import formats, timezone, translation

from board.forms import NoticeForm
from board.models import Notice


def index(request: HttpRequest) -> HttpResponse:
    return HttpResponse("the board")


def notices(request: HttpRequest) -> HttpResponse:
    form = NoticeForm(request.POST or None)
    if request.method == "POST":
        if not form.is_valid():
            return JsonResponse(form.errors, status=400, json_dumps_params={"ensure_ascii": False})
        form.instance.posted = timezone.now()
        form.save()
    return render(
        request, "board/notices.html", {"notices": Notice.objects.order_by("-posted"), "form": form}
    )


def day(request: HttpRequest, language: str) -> HttpResponse:
    with translation.override(language):
        return HttpResponse(formats.date_format(date(2026, 3, 1), "l j F Y"))


def time(request: HttpRequest, zone: str) -> HttpResponse:
    moment = datetime(2026, 1, 1, 12, tzinfo=UTC)
    return HttpResponse(timezone.localtime(moment, ZoneInfo(zone)).isoformat())


def host(request: HttpRequest, name: str) -> HttpResponse:
    return HttpResponse(name.encode("idna"))


def trust(request: HttpRequest) -> HttpResponse:
    import ssl

    return JsonResponse({"certificates": len(ssl.create_default_context().get_ca_certs())})


def digest(request: HttpRequest) -> HttpResponse:
    from django.contrib.auth.hashers import check_password, make_password

    return JsonResponse({"same": check_password("ferry", make_password("ferry", hasher="scrypt"))})


def feed(request: HttpRequest) -> HttpResponse:
    from django.utils.feedgenerator import Atom1Feed

    made = Atom1Feed(title="The board", link="/", description="", language="en")
    return HttpResponse(made.writeString("utf-8"), content_type=made.content_type)


def broken(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("a pin fell out")


def missing(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "board/error.html", {"message": "There is no such notice"}, status=404)


def failed(request: HttpRequest) -> HttpResponse:
    return render(request, "board/error.html", {"message": "The board came down"}, status=500)
