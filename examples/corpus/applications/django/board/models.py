"""What is kept."""

from django.db import models


class Notice(models.Model):
    title = models.CharField(max_length=40)
    text = models.TextField()
    posted = models.DateTimeField()

    def __str__(self) -> str:
        return self.title
