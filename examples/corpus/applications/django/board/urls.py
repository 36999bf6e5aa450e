"""Where things are."""

from django.contrib import admin
from django.urls import path

from board import views

urlpatterns = [
    path("", views.index),
    path("notices", views.notices),
    path("day/<str:language>", views.day),
    path("time/<path:zone>", views.time),
    path("host/<str:name>", views.host),
    path("trust", views.trust),
    path("digest", views.digest),
    path("feed", views.feed),
    path("broken", views.broken),
    path("admin/", admin.site.urls),
]
handler404 = "board.views.missing"
handler500 = "board.views.failed"
