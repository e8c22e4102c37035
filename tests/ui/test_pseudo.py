"""The helper that finds untranslated text finds it, and nothing else."""

from django.template import Context, Template
from django.utils import translation
from django.utils.translation import gettext, gettext_lazy, ngettext, pgettext

from tests.ui.pseudo import bare_texts, speaking_pseudo

LAZY = gettext_lazy("Customers")


def test_every_way_to_translate_is_wrapped():
    with translation.override("en"), speaking_pseudo():
        assert gettext("Today") == "⟦Today⟧"
        assert str(LAZY) == "⟦Customers⟧"
        assert ngettext("%(n)d row", "%(n)d rows", 2) == "⟦%(n)d rows⟧"
        assert pgettext("a day", "yesterday") == "⟦yesterday⟧"
        template = Template(
            "{% load i18n %}{% trans 'Today' %}|{% trans 'yesterday' context 'a day' %}|"
            "{% blocktrans count counter=2 with x='Y' %}{{ x }} row{% plural %}{{ x }} rows{% endblocktrans %}|"
            "{% blocktrans with x='Y' %}Hello {{ x }}{% endblocktrans %}"
        )
        assert template.render(Context()) == "⟦Today⟧|⟦yesterday⟧|⟦Y rows⟧|⟦Hello Y⟧"
    with translation.override("en"):
        assert gettext("Today") == "Today"


def test_bare_text_is_found_wherever_a_reader_meets_it():
    html = '<p>⟦Fine⟧ 12.5</p><p>Forgotten</p><a title="Also forgotten">⟦x⟧</a><input placeholder="忘了">'
    assert bare_texts(html) == ["Forgotten", "Also forgotten", "忘了"]


def test_data_is_not_taken_for_forgotten_text():
    html = (
        "<script>let a;</script><td data-data>张伟</td><data title='12 元'>12 万元</data><time>昨天</time>"
        "<p>⟦Hello ⟦deep⟧ <a>张三</a> 王丽⟧</p><p>C100 · 王丽</p><br><b data-data>a<br>b</b><p>2026-11-22 ▲</p>"
    )
    assert bare_texts(html, known=["王丽", "C100"]) == []
