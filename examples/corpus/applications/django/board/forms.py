"""What is taken."""

from django import forms

from board.models import Notice


class NoticeForm(forms.ModelForm):
    class Meta:
        model = Notice
        fields = ("title", "text")
