"""A sort key for names: pinyin, with surnames read as surnames. There is no pinyin collation in the database."""

from functools import lru_cache

from pypinyin import Style, lazy_pinyin

# Read otherwise as a surname than as a word; the library takes the word's reading.
SURNAMES = {
    "曾": "zeng", "单": "shan", "仇": "qiu", "解": "xie", "朴": "piao", "任": "ren", "华": "hua", "区": "ou", "查": "zha",
    "盖": "ge", "乐": "yue", "缪": "miao", "宁": "ning", "覃": "qin", "冼": "xian", "尉": "wei", "员": "yun", "翟": "zhai",
    "牟": "mu", "臧": "zang", "种": "chong", "逄": "pang", "黑": "he", "折": "she", "繁": "po", "召": "shao", "秘": "bi",
    "重": "chong", "藏": "zang", "隗": "wei", "那": "na", "钭": "tou", "万": "wan", "应": "ying", "洗": "xian", "哈": "ha",
}  # fmt: skip
DOUBLE_SURNAMES = {
    "尉迟": ("yu", "chi"), "万俟": ("mo", "qi"), "长孙": ("zhang", "sun"), "单于": ("chan", "yu"), "澹台": ("tan", "tai"),
    "皇甫": ("huang", "fu"), "令狐": ("ling", "hu"), "夏侯": ("xia", "hou"), "宰父": ("zai", "fu"), "鲜于": ("xian", "yu"),
    "宓妃": ("fu", "fei"),
}  # fmt: skip
LONGEST = 400


@lru_cache(maxsize=30_000)
def _reading(character: str) -> str:
    return lazy_pinyin(character, style=Style.NORMAL, errors=lambda unread: unread.casefold())[0]


def sort_key(name: str, *, person: bool = True) -> str:
    """Return the key: one syllable a character, so that 张 stands together before 章 and both far from 赵.

    >>> sort_key("曾国藩"), sort_key("Client 12", person=False)
    ('zeng guo fan', 'client 12')
    """
    name = name.strip()
    if name.isascii():
        return name.casefold()[:LONGEST]
    syllables: list[str] = []
    rest = name
    if person and name[:2] in DOUBLE_SURNAMES:
        syllables, rest = list(DOUBLE_SURNAMES[name[:2]]), name[2:]
    elif person and name[:1] in SURNAMES:
        syllables, rest = [SURNAMES[name[0]]], name[1:]
    word = ""
    for character in rest:
        if character.isascii():
            word += character.casefold()
            continue
        if word.strip():
            syllables.append(word.strip())
        word = ""
        syllables.append(_reading(character))
    if word.strip():
        syllables.append(word.strip())
    return " ".join(syllables)[:LONGEST]
