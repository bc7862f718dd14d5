"""What people are called: given and family names by language, each in its own script.

A family name with a slash has a man's and a woman's form. Names are common ones, put together by chance.
"""

from random import Random
from typing import NamedTuple

from db.models import Sex, folded

GIVEN_FIRST = "{given} {family}"
FAMILY_FIRST = "{family} {given}"
FAMILY_FIRST_JOINED = "{family}{given}"


class Culture(NamedTuple):
    """The names of one language, how often the clinic meets them, and how they are put together."""

    locale: str
    weight: int
    women: list[str]
    men: list[str]
    families: list[str]
    order: str = GIVEN_FIRST


class PersonName(NamedTuple):
    given: str
    family: str
    culture: Culture

    def written(self, sex: Sex) -> str:
        """The whole name, with the family name in the form that goes with `sex`."""
        man, _, woman = self.family.partition("/")
        family = woman if woman and sex is Sex.FEMALE else man
        return self.culture.order.format(given=self.given, family=family)


def _culture(
    locale: str, weight: int, women: str, men: str, families: str, order: str = GIVEN_FIRST
) -> Culture:
    return Culture(locale, weight, women.split(), men.split(), families.split(), order)


CULTURES = [
    _culture(
        "de",
        30,
        "Anna Lena Katharina Julia Sabine Monika Ursula Mia Hannah Gisela Anke Frauke Käthe",
        "Lukas Jonas Thomas Stefan Jürgen Günter Wolfgang Björn Felix Maximilian Uwe Matthias Jörg Emil",
        "Müller Schmidt Schneider Weber Köhler Böhm Krüger Schäfer Hoffmann Groß Jäger Vogel Seidel Weiß",
    ),
    _culture(
        "tr",
        9,
        "Ayşe Elif Zeynep Gülşen Özlem Fatma Şeyma Tuğba",
        "Mehmet Çağlar Mustafa İbrahim Oğuz Kerem Ümit Yiğit",
        "Yılmaz Öztürk Şahin Çelik Kaya Aydın Güneş Doğan",
    ),
    _culture(
        "pl",
        5,
        "Małgorzata Agnieszka Katarzyna Zofia Grażyna Łucja",
        "Paweł Michał Łukasz Krzysztof Stanisław Wojciech",
        "Nowak Wójcik Kowalski/Kowalska Wiśniewski/Wiśniewska Zając Dąbrowski/Dąbrowska",
    ),
    _culture(
        "en",
        5,
        "Olivia Grace Charlotte Niamh Abigail Chidinma",
        "James Oliver Declan Samuel Harry Kwame",
        "Smith Walker O’Brien Okafor Thompson Hughes Mensah Clarke",
    ),
    _culture(
        "fr",
        4,
        "Camille Chloé Amélie Hélène Inès Maïa",
        "François Étienne Théo Loïc Jérôme Hugo",
        "Lefèvre Dupré Moreau Garçon Bélanger Rousseau Noël",
    ),
    _culture(
        "es",
        4,
        "Lucía Sofía Begoña Inés Ximena Pilar",
        "Álvaro Íñigo Javier Andrés José Tomás",
        "García Muñoz Peña Núñez Sánchez Ibáñez Ordóñez",
    ),
    _culture(
        "it",
        3,
        "Giulia Chiara Francesca Beatrice Noemi",
        "Matteo Niccolò Lorenzo Alessandro Dario",
        "Rossi Bianchi D’Angelo Esposito Ricci Moretti",
    ),
    _culture(
        "pt",
        3,
        "Beatriz Inês Conceição Luísa Mariana",
        "João Tiago Gonçalo Simão André",
        "Simões Conceição Araújo Magalhães Ferrão Guimarães",
    ),
    _culture(
        "vi",
        4,
        "Linh Hương Thảo Ngọc Mỹ",
        "Đức Hùng Tuấn Quân Bảo",
        "Nguyễn Trần Lê Phạm Đặng Vũ",
        FAMILY_FIRST,
    ),
    _culture(
        "cs",
        2,
        "Tereza Zuzana Božena Markéta Jiřina",
        "Jiří Ondřej Tomáš Vojtěch Matěj",
        "Novák/Nováková Dvořák/Dvořáková Černý/Černá Růžička/Růžičková Šimek/Šimková",
    ),
    _culture(
        "hu",
        2,
        "Eszter Zsófia Réka Ildikó Tünde",
        "László Gergő Bálint Zoltán Ádám",
        "Nagy Szabó Horváth Kovács Tóth",
        FAMILY_FIRST,
    ),
    _culture(
        "sv",
        2,
        "Åsa Linnéa Ebba Märta Saga",
        "Göran Åke Björn Lars Noel",
        "Lindström Åberg Sjögren Nyström Öberg",
    ),
    _culture(
        "ru",
        5,
        "Наталья Ольга Екатерина Анастасия Ирина Людмила",
        "Дмитрий Сергей Алексей Николай Фёдор Владимир",
        "Иванов/Иванова Смирнов/Смирнова Кузнецов/Кузнецова Соловьёв/Соловьёва Белый/Белая",
    ),
    _culture(
        "uk",
        4,
        "Оксана Олена Соломія Ганна Юлія",
        "Олександр Тарас Андрій Сергій Євген",
        "Шевченко Коваленко Бондаренко Ткачук Мельник Гриценко",
    ),
    _culture(
        "bg",
        2,
        "Гергана Десислава Мария Цветелина",
        "Георги Димитър Красимир Стоян",
        "Димитров/Димитрова Петров/Петрова Стоянов/Стоянова Николов/Николова",
    ),
    _culture(
        "el",
        3,
        "Ελένη Μαρία Αικατερίνη Δήμητρα Χριστίνα",
        "Γιώργος Νίκος Δημήτρης Κωνσταντίνος Παναγιώτης",
        "Παπαδόπουλος/Παπαδοπούλου Γεωργίου Νικολάου Δημητρίου Βασιλείου",
    ),
    _culture(
        "ar",
        5,
        "فاطمة ليلى مريم نور هدى سلمى",
        "محمد أحمد يوسف خالد عمر سامر",
        "الحسن حداد خوري المصري السيد منصور درويش",
    ),
    _culture(
        "fa",
        2,
        "زهرا شیرین پریسا نازنین",
        "علیرضا کامران بهرام داریوش",
        "احمدی رضایی کریمی جعفری",
    ),
    _culture(
        "he",
        2,
        "נועה תמר יעל שירה מיכל",
        "דוד יוסף איתן אורי משה",
        "כהן לוי מזרחי פרץ פרידמן",
    ),
    _culture(
        "hi",
        3,
        "प्रिया अनीता सुनीता काव्या मीरा",
        "राहुल अर्जुन विक्रम संजय रोहन",
        "शर्मा वर्मा गुप्ता सिंह पटेल मिश्रा",
    ),
    _culture(
        "zh",
        3,
        "秀英 丽 婷婷 雨桐 静 梦瑶",
        "伟 浩然 建国 子轩 磊 志强",
        "王 李 张 刘 陈 杨 赵 黄",
        FAMILY_FIRST_JOINED,
    ),
    _culture(
        "ja",
        2,
        "美咲 陽菜 恵子 さくら 由美",
        "翔太 健一 大輔 蓮 誠",
        "佐藤 鈴木 高橋 田中 渡辺",
        FAMILY_FIRST,
    ),
    _culture(
        "ko",
        2,
        "서연 지은 민지 하윤 은정",
        "민준 지훈 성호 도윤 현우",
        "김 이 박 최 정",
        FAMILY_FIRST_JOINED,
    ),
]

_WEIGHTS = [culture.weight for culture in CULTURES]
_LATIN = [culture for culture in CULTURES if culture.women[0][0] < "\u0250"]


def given_name(rng: Random, culture: Culture, sex: Sex) -> str:
    """A given name that goes with `sex`; from both lists where it is neither female nor male."""
    if sex is Sex.FEMALE:
        return rng.choice(culture.women)
    if sex is Sex.MALE:
        return rng.choice(culture.men)
    return rng.choice(culture.women + culture.men)


def any_name(rng: Random, sex: Sex) -> PersonName:
    """A name from any of the languages, as often as the clinic meets them."""
    culture = rng.choices(CULTURES, _WEIGHTS)[0]
    return PersonName(given_name(rng, culture, sex), rng.choice(culture.families), culture)


def latin_name(rng: Random, sex: Sex) -> PersonName:
    """A name in Latin letters, for the many doctors of a large clinic whose names go on door signs."""
    culture = rng.choice(_LATIN)
    return PersonName(given_name(rng, culture, sex), rng.choice(culture.families), culture)


_PLAIN = str.maketrans("ıłđø", "ildo")  # letters that have no accent to take away


def login_letters(name: str) -> str | None:
    """`name` as a user name begins, such as amelie.laurent; None where it is not in Latin letters."""
    words = folded(name).translate(_PLAIN).split()
    plain = ".".join("".join(filter(str.isalpha, word)) for word in words)
    return plain if plain.isascii() else None
