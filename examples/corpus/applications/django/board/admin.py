"""What the administration shows."""

from django.contrib import admin

from board.models import Notice

admin.site.register(Notice)
