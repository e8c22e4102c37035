"""Names of people, firms and places: common surnames and given characters with about their real frequency."""

from random import Random

# Surname and how many of ten thousand people bear it.
_SURNAMES = (
    "王 717 李 700 张 674 刘 510 陈 461 杨 322 黄 245 赵 230 吴 220 周 212 "
    "徐 166 孙 152 马 129 朱 128 胡 116 郭 115 何 106 林 105 高 101 罗 95 "
    "郑 93 梁 85 谢 76 宋 70 唐 69 许 66 邓 62 冯 62 韩 61 曹 60 "
    "曾 58 彭 57 肖 55 蔡 53 潘 52 田 52 董 51 袁 50 于 48 余 48 "
    "叶 48 蒋 47 杜 46 苏 46 魏 45 程 44 吕 43 丁 42 沈 41 任 41 "
    "姚 39 卢 38 傅 37 钟 37 姜 36 崔 35 谭 35 廖 33 范 33 汪 33 "
    "陆 32 金 32 石 31 戴 31 贾 30 韦 29 夏 29 邱 29 方 28 侯 27 "
    "邹 27 熊 26 孟 26 秦 26 白 25 江 25 闫 25 薛 25 尹 24 段 23 "
    "雷 23 黎 22 史 21 龙 21 陶 20 贺 20 顾 20 毛 20 郝 19 龚 19 "
    "邵 19 万 18 钱 18 严 18 覃 18 武 17 莫 17 孔 16 向 16 汤 15 "
    "单 5 欧阳 7 上官 1"
)
_FEMALE = "英秀玉华兰芳梅丽霞红敏静燕艳娟婷玲萍娜慧琴雪琳莉洁倩璐颖瑶蓉珍桂凤淑佳怡欣悦薇岚菲雅诗梦妍彤"
_MALE = (
    "伟强军磊勇杰斌涛超鹏辉刚峰健飞波凯浩建国志德永福海龙成生宏洪亮俊鑫宇航博轩豪锋胜祥松东阳振家荣富武毅翔"
)
_NEUTRAL = "文明平晓春云清新林立安思子天一民康宁乐嘉晨泽雨学世光远和瑞景书元凡正启承若可知言"

_LUCK = "鑫隆泰恒盛瑞宏达兴源华丰裕和顺祥安康永嘉博诚信远创益润佳启航景腾汇联卓越锦荣茂通利德方正同宇天百川"
# Trade as it stands in a firm's name, its class in GB/T 4754, and how many of a hundred firms are in it.
_TRADES = (
    ("机械制造", "C3489", 7),
    ("金属制品", "C3311", 6),
    ("纺织", "C1751", 4),
    ("服装", "C1810", 4),
    ("食品", "C1491", 5),
    ("电子科技", "C3990", 5),
    ("建筑工程", "E4790", 8),
    ("装饰工程", "E5011", 4),
    ("粮油贸易", "F5122", 7),
    ("建材贸易", "F5165", 8),
    ("医药", "F5151", 3),
    ("百货", "F5211", 5),
    ("超市", "F5212", 5),
    ("物流", "G5430", 6),
    ("仓储", "G5990", 2),
    ("酒店", "H6110", 2),
    ("餐饮管理", "H6210", 4),
    ("软件", "I6513", 5),
    ("网络科技", "I6429", 3),
    ("房地产开发", "K7010", 2),
    ("物业服务", "K7020", 3),
    ("商务服务", "L7299", 3),
    ("农业发展", "A0141", 3),
    ("养殖", "A0313", 2),
    ("环保科技", "N7721", 2),
    ("文化传媒", "R8710", 2),
)
_FORMS = ("有限公司",) * 7 + ("有限责任公司", "有限责任公司", "股份有限公司")

CITY = "云澜"
BANK = f"{CITY}银行"
OTHER_BANKS = (
    "北原银行",
    "东陆银行",
    "南屏银行",
    "西川农信联社",
    "中岳银行",
    "海角银行",
    "长滩银行",
    "九畹商业银行",
)
DISTRICTS = (
    ("锦溪区", "439001"),
    ("望江区", "439002"),
    ("澜山区", "439003"),
    ("东湖区", "439004"),
    ("临港新区", "439005"),
    ("清源县", "439006"),
    ("石门坳县", "439007"),
    ("白鹭市", "439008"),
)
_STREETS = (
    "梧桐",
    "解放",
    "人民",
    "建设",
    "中山",
    "滨江",
    "澜沧",
    "学府",
    "银杏",
    "青年",
    "胜利",
    "新华",
    "芙蓉",
    "云台",
    "翠屏",
    "和平",
)
_ESTATES = (
    "锦绣家园",
    "澜庭",
    "望江花园",
    "东湖名都",
    "梧桐苑",
    "滨江一号",
    "云台小区",
    "学府里",
    "翠屏山庄",
    "和平新村",
)
_WORKPLACES = (
    "云澜市第一人民医院",
    "云澜师范学院",
    "云澜市实验中学",
    "云澜供水集团",
    "澜江航运公司",
    "云澜市公交集团",
    "云澜日报社",
    "临港汽车配件厂",
    "东湖电子厂",
    "云澜市建筑设计院",
    "望江百货大楼",
    "清源茶业合作社",
)
MERCHANTS = (
    "望江百货大楼",
    "锦溪生鲜超市",
    "东湖便利店",
    "澜山大药房",
    "学府书店",
    "云台加油站",
    "滨江美食城",
    "翠屏咖啡",
    "云澜地铁",
    "云澜公交",
    "云澜燃气",
    "云澜供电",
    "云澜供水",
    "青年影城",
    "芙蓉服饰",
    "新华数码",
    "和平家电",
    "建设五金",
    "临港酒店",
    "清源农家院",
    "澜江旅行社",
    "梧桐幼儿园",
    "云澜停车",
    "银杏健身",
    "北斗打车",
    "蜂巢外卖",
    "万象商城",
    "千寻购物",
    "早市果蔬",
    "老街面馆",
    "小桥理发",
    "白鹭宠物",
    "安居物业",
    "云澜宽带",
    "山海话费充值",
)


def _expand(words: str) -> list[str]:
    parts = words.split()
    return [name for name, share in zip(parts[::2], parts[1::2], strict=True) for _ in range(int(share))]


def _by_rank(characters: str) -> list[str]:
    """The characters, the first ones several times as often as the last."""
    return [
        character
        for rank, character in enumerate(characters)
        for _ in range(1 + 5 * (len(characters) - rank) // len(characters))
    ]


_SURNAME_TABLE = _expand(_SURNAMES)
_GIVEN = {"F": _by_rank(_FEMALE) + _by_rank(_NEUTRAL)[::2], "M": _by_rank(_MALE) + _by_rank(_NEUTRAL)[::2]}
_TRADE_TABLE = [(name, industry) for name, industry, share in _TRADES for _ in range(share)]


def surname(rng: Random) -> str:
    return _SURNAME_TABLE[int(rng.random() * len(_SURNAME_TABLE))]


def given_name(rng: Random, gender: str) -> str:
    table = _GIVEN[gender]
    first = table[int(rng.random() * len(table))]
    return first if rng.random() < 0.14 else first + table[int(rng.random() * len(table))]


def person(rng: Random, gender: str) -> str:
    return surname(rng) + given_name(rng, gender)


def anybody(rng: Random) -> str:
    return person(rng, "F" if rng.random() < 0.5 else "M")


def firm(rng: Random) -> tuple[str, str]:
    """Return (name, industry code)."""
    trade, industry = _TRADE_TABLE[int(rng.random() * len(_TRADE_TABLE))]
    word = _LUCK[int(rng.random() * len(_LUCK))] + _LUCK[int(rng.random() * len(_LUCK))]
    place = "市" if rng.random() < 0.6 else ""
    return f"{CITY}{place}{word}{trade}{_FORMS[int(rng.random() * len(_FORMS))]}", industry


def address(rng: Random, district: str) -> str:
    street, estate = _STREETS[int(rng.random() * len(_STREETS))], _ESTATES[int(rng.random() * len(_ESTATES))]
    house, block, floor = 1 + int(rng.random() * 320), 1 + int(rng.random() * 24), 1 + int(rng.random() * 28)
    return f"{CITY}市{district}{street}路{house}号{estate}{block}栋{floor}{1 + int(rng.random() * 4):02d}室"


def workplace(rng: Random) -> str:
    return _WORKPLACES[int(rng.random() * len(_WORKPLACES))]


def street_of_a_branch(number: int) -> str:
    """Branches are called after streets; a number follows once the streets are used up."""
    turn, street = divmod(number, len(_STREETS))
    return _STREETS[street] + (f"路{turn + 1}号" if turn else "路")
