"""Pages and answers."""

import ssl
import tempfile
from datetime import datetime
from importlib import import_module
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from flask import Blueprint, Flask, Response, abort, jsonify, render_template, request

from ledger import parcels

pages = Blueprint("pages", __name__)


@pages.get("/")
def index() -> str:
    return render_template("index.html", parcels=parcels.PARCELS)


@pages.get("/parcels/<int:number>")
def parcel(number: int) -> str:
    found = parcels.find(number)
    if found is None:
        abort(404)
    return render_template("parcel.html", parcel=found)


@pages.get("/time/<path:zone>")
def time(zone: str) -> Response:
    try:
        there = datetime(2026, 1, 1, 12, tzinfo=ZoneInfo("UTC")).astimezone(ZoneInfo(zone))
    except ZoneInfoNotFoundError:
        abort(404)
    return jsonify(zone=zone, time=there.isoformat())


@pages.get("/host/<name>")
def host(name: str) -> Response:
    return jsonify(ascii=name.encode("idna").decode())


@pages.get("/label/<codec>/<text>")
def label(codec: str, text: str) -> Response:
    return jsonify(bytes=text.encode(codec).hex())


@pages.get("/trust")
def trust() -> Response:
    return jsonify(certificates=len(ssl.create_default_context().get_ca_certs()))


@pages.get("/tls")
def tls() -> Response:
    from ledger.stranger import refused

    return jsonify(refused=refused())


@pages.get("/export/<kind>")
def export(kind: str) -> Response:
    if kind not in ("sheet", "store"):
        abort(404)
    return Response(import_module(f"ledger.export_{kind}").export(), mimetype="text/plain")


@pages.post("/upload")
def upload() -> Response:
    with tempfile.NamedTemporaryFile(prefix="parcel-") as kept:
        kept.write(request.get_data())
        kept.flush()
        return jsonify(name=kept.name, size=kept.tell())


@pages.get("/names")
def names() -> Response:
    import pwd
    import socket

    return jsonify(home=pwd.getpwnam("nobody").pw_dir, address=socket.gethostbyname("localhost"))


@pages.get("/broken")
def broken() -> str:
    return str(1 // len(request.args))


@pages.app_errorhandler(404)
def missing(_error: Exception) -> tuple[str, int]:
    return render_template("error.html", message="There is no such parcel"), 404


@pages.app_errorhandler(500)
def failed(_error: Exception) -> tuple[str, int]:
    return render_template("error.html", message="The ledger fell into the sea"), 500


def create() -> Flask:
    app = Flask(__name__)
    app.register_blueprint(pages)
    return app
