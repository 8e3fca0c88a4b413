"""Words of dates in the languages that news is written in, folded for look-up.

Month names follow CLDR 46 with the abbreviations that newsrooms use besides
(``Agt``, ``Ags``, ``Nop``, ``Peb``). A word stands for one month only: names that two
languages give to different months (Croatian ``listopad``) are left out.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_MARKS = re.compile("[\u0300-\u036f]")
_BETWEEN_LETTERS = re.compile(r"(?<=[^\W\d_])\.(?=[^\W\d_])")


def fold(text: str) -> str:
    """Lower-case `text` without accents, dots inside words and apostrophes; digits become ASCII.

    >>> fold("Jum’at, 5 Août 2026, 3:07 P.M.")
    'jumat, 5 aout 2026, 3:07 pm.'
    """
    text = _MARKS.sub("", unicodedata.normalize("NFKD", text.casefold()))
    text = unicodedata.normalize("NFC", text)
    text = "".join(_character(c) for c in text) if not text.isascii() else text.replace("'", "")
    return _BETWEEN_LETTERS.sub("", text)


def _character(c: str) -> str:
    """One character in the form the reader knows; joiners, bidi marks and apostrophes vanish."""
    if c in "'’‘ʼ׳`´॰":
        return ""
    if c in "‐‑‒–—−":
        return "-"
    category = unicodedata.category(c)
    if category == "Nd":
        return str(unicodedata.digit(c))
    return "" if category == "Cf" else c


def _numbered(start: int, *languages: str) -> dict[str, int]:
    """Map each word to the place of its group; groups are parted by ``|``, ``_`` stands for a blank."""
    return {
        fold(word.replace("_", " ")): number
        for language in languages
        for number, words in enumerate(language.split("|"), start)
        for word in words.split()
    }


MONTHS: Final[dict[str, int]] = _numbered(
    1,
    # Indonesian, Malay, English
    "januari jan | februari pebruari feb peb | maret mar | april apr | mei | juni jun | juli jul"
    "| agustus agu agt ags agust | september sep sept | oktober okt | november nopember nov nop | desember des",
    "| | mac | | | | julai | ogos ogo | | | | disember dis",
    "january jan | february feb | march mar | april apr | may | june jun | july jul | august aug"
    "| september sep sept | october oct | november nov | december dec",
    # Spanish, Portuguese, French, Italian, Romanian
    "enero ene | febrero feb | marzo mar | abril abr | mayo may | junio jun | julio jul | agosto ago"
    "| septiembre setiembre sept set | octubre oct | noviembre nov | diciembre dic",
    "janeiro jan | fevereiro fev | março mar | abril abr | maio mai | junho jun | julho jul | agosto ago"
    "| setembro set | outubro out | novembro nov | dezembro dez",
    "janvier janv | février févr fév | mars | avril avr | mai | juin | juillet juil juill | août"
    "| septembre sept | octobre oct | novembre nov | décembre déc",
    "gennaio gen | febbraio feb | marzo mar | aprile apr | maggio mag | giugno giu | luglio lug | agosto ago"
    "| settembre set sett | ottobre ott | novembre nov | dicembre dic",
    "ianuarie ian | februarie feb | martie mar | aprilie apr | mai | iunie iun | iulie iul | august aug"
    "| septembrie sept | octombrie oct | noiembrie nov noi | decembrie dec",
    # German, Dutch, Swedish, Danish and Norwegian, Finnish
    "januar jänner jan jän | februar feb | märz mär mrz | april apr | mai | juni jun | juli jul | august aug"
    "| september sept sep | oktober okt | november nov | dezember dez",
    "januari jan | februari feb | maart mrt | april apr | mei | juni jun | juli jul | augustus aug"
    "| september sep | oktober okt | november nov | december dec",
    "januari | februari | mars | april | maj | juni | juli | augusti | september | oktober | november | december",
    "januar | februar | marts mars | april | maj mai | juni | juli | august | september | oktober | november"
    "| december desember",
    "tammikuuta tammikuu tammi | helmikuuta helmikuu helmi | maaliskuuta maaliskuu maalis"
    "| huhtikuuta huhtikuu huhti | toukokuuta toukokuu touko | kesäkuuta kesäkuu kesä"
    "| heinäkuuta heinäkuu heinä | elokuuta elokuu elo | syyskuuta syyskuu syys | lokakuuta lokakuu loka"
    "| marraskuuta marraskuu marras | joulukuuta joulukuu joulu",
    # Turkish
    "ocak oca | şubat şub | mart mar | nisan nis | mayıs may | haziran haz | temmuz tem | ağustos ağu"
    "| eylül eyl | ekim eki | kasım kas | aralık ara",
    # Russian, Ukrainian, Bulgarian, Serbian
    "января янв январь | февраля февр фев февраль | марта мар март | апреля апр апрель | мая май"
    "| июня июн июнь | июля июл июль | августа авг август | сентября сент сен сентябрь"
    "| октября окт октябрь | ноября нояб ноя ноябрь | декабря дек декабрь",
    "січня січ січень | лютого лют лютий | березня бер березень | квітня квіт кві квітень"
    "| травня трав тра травень | червня черв чер червень | липня лип липень | серпня серп сер серпень"
    "| вересня вер вересень | жовтня жовт жов жовтень | листопада лист лис листопад | грудня груд гру грудень",
    "януари яну | февруари фев | март | април апр | май | юни | юли | август авг | септември сеп"
    "| октомври окт | ноември ное | декември дек",
    "јануар јан | фебруар феб | март | април | мај | јун | јул | август | септембар | октобар | новембар| децембар",
    "januar | februar | mart | april | maj | jun | jul | avgust avg | septembar | oktobar | novembar | decembar",
    # Polish, Czech, Slovak, Hungarian
    "stycznia sty styczeń | lutego lut luty | marca mar marzec | kwietnia kwi kwiecień | maja maj"
    "| czerwca cze czerwiec | lipca lip lipiec | sierpnia sie sierpień | września wrz wrzesień"
    "| października paź październik | listopada lis listopad | grudnia gru grudzień",
    "ledna leden | února únor | března březen | dubna duben | května květen | června červen"
    "| července červenec | srpna srpen | září | října říjen | listopadu listopad | prosince prosinec",
    "januára január | februára február | marca marec | apríla apríl | mája máj | júna jún | júla júl"
    "| augusta august | septembra september | októbra október | novembra november | decembra december",
    "január jan | február febr | március márc | április ápr | május máj | június jún | július júl"
    "| augusztus aug | szeptember szept | október okt | november nov | december dec",
    # Greek
    "ιανουαρίου ιανουάριος ιαν | φεβρουαρίου φεβρουάριος φεβ φεβρ | μαρτίου μάρτιος μαρ μάρτ μαρτ"
    "| απριλίου απρίλιος απρ | μαΐου μάιος μαΐ μάι μάη μάης | ιουνίου ιούνιος ιουν ιούν"
    "| ιουλίου ιούλιος ιουλ ιούλ | αυγούστου αύγουστος αυγ αύγ | σεπτεμβρίου σεπτέμβριος σεπ σεπτ"
    "| οκτωβρίου οκτώβριος οκτ | νοεμβρίου νοέμβριος νοε νοέ | δεκεμβρίου δεκέμβριος δεκ",
    # Arabic (Egyptian, Maghrebi and Levantine names), Persian spelling of the Gregorian months, Urdu
    "يناير جانفي | فبراير فيفري شباط | مارس آذار | أبريل إبريل ابريل أفريل نيسان | مايو ماي أيار"
    "| يونيو يونيه جوان حزيران | يوليو يوليه جويلية تموز | أغسطس اغسطس أوت آب | سبتمبر شتنبر أيلول"
    "| أكتوبر اكتوبر | نوفمبر نونبر | ديسمبر دجنبر",
    "ژانویه جنوری | فوریه فروری | مارس مارچ | آوریل اپریل | مه مئی | ژوئن جون | ژوئیه جولائی"
    "| اوت اگست | سپتامبر ستمبر | اکتبر اکتوبر | نوامبر نومبر | دسامبر دسمبر",
    # Hebrew, with the prefix "in"
    "ינואר בינואר | פברואר בפברואר | מרץ מרס במרץ במרס | אפריל באפריל | מאי במאי | יוני ביוני | יולי ביולי"
    "| אוגוסט באוגוסט | ספטמבר בספטמבר | אוקטובר באוקטובר | נובמבר בנובמבר | דצמבר בדצמבר",
    # Hindi, Marathi, Bengali, Tamil, Telugu, Thai
    "जनवरी जन | फ़रवरी फरवरी फ़र फर | मार्च | अप्रैल | मई | जून | जुलाई जुल | अगस्त अग"
    "| सितंबर सितम्बर सित | अक्टूबर अक्तूबर अक्टू | नवंबर नवम्बर नव | दिसंबर दिसम्बर दिस",
    "जानेवारी | फेब्रुवारी | मार्च | एप्रिल | मे | जून | जुलै | ऑगस्ट | सप्टेंबर | ऑक्टोबर | नोव्हेंबर | डिसेंबर",
    "জানুয়ারী জানুয়ারি | ফেব্রুয়ারী ফেব্রুয়ারি | মার্চ | এপ্রিল | মে | জুন | জুলাই | আগস্ট | সেপ্টেম্বর | অক্টোবর| নভেম্বর | ডিসেম্বর",
    "ஜனவரி | பிப்ரவரி | மார்ச் | ஏப்ரல் | மே | ஜூன் | ஜூலை | ஆகஸ்ட் | செப்டம்பர் | அக்டோபர் | நவம்பர் | டிசம்பர்",
    "జనవరి | ఫిబ్రవరి | మార్చి | ఏప్రిల్ | మే | జూన్ | జులై | ఆగస్టు | సెప్టెంబర్ | అక్టోబర్ | నవంబర్ | డిసెంబర్",
    "มกราคม ม.ค | กุมภาพันธ์ ก.พ | มีนาคม มี.ค | เมษายน เม.ย | พฤษภาคม พ.ค | มิถุนายน มิ.ย | กรกฎาคม ก.ค"
    "| สิงหาคม ส.ค | กันยายน ก.ย | ตุลาคม ต.ค | พฤศจิกายน พ.ย | ธันวาคม ธ.ค",
)

#: Months of two words: Arabic in the Levant.
MONTH_PAIRS: Final[dict[str, int]] = {
    fold(words): number
    for words, number in (
        ("كانون الثاني", 1),
        ("تشرين الأول", 10),
        ("تشرين الاول", 10),
        ("تشرين الثاني", 11),
        ("كانون الأول", 12),
        ("كانون الاول", 12),
    )
}

#: Thai words tell that the year counts from the Buddhist era, 543 years earlier.
THAI: Final = re.compile("[\u0e01-\u0e2e]")

#: Monday is 0. Used to tell 11/04 from 04/11, and that ``mar`` beside ``déc`` is a Tuesday.
WEEKDAYS: Final[dict[str, int]] = _numbered(
    0,
    "senin sen | selasa sel | rabu rab | kamis kam | jumat jum | sabtu sab | minggu ahad min",
    "isnin isn | | khamis | jumaat | |",
    "monday mon | tuesday tue tues | wednesday wed weds | thursday thu thur thurs | friday fri"
    "| saturday sat | sunday sun",
    "lunes lun | martes mar | miércoles mié | jueves jue | viernes vie | sábado sáb | domingo dom",
    "segunda seg | terça ter | quarta qua | quinta qui | sexta sex | sábado sáb | domingo dom",
    "lundi lun | mardi mar | mercredi mer | jeudi jeu | vendredi ven | samedi sam | dimanche dim",
    "lunedì lun | martedì mar | mercoledì mer | giovedì gio | venerdì ven | sabato sab | domenica dom",
    "montag mo | dienstag di | mittwoch mi | donnerstag do | freitag fr | samstag sa | sonntag so",
    "maandag ma | dinsdag | woensdag wo | donderdag | vrijdag vr | zaterdag za | zondag zo",
    "pazartesi | salı | çarşamba | perşembe | cuma | cumartesi | pazar",
    "понедельник пн | вторник вт | среда ср | четверг чт | пятница пт | суббота сб | воскресенье вс",
)

AFTERNOON: Final = frozenset(fold(w) for w in ("pm", "午後", "下午", "晚上", "오후", "م", "مساء", "μμ", "ptg"))
MORNING: Final = frozenset(fold(w) for w in ("am", "午前", "上午", "凌晨", "早上", "오전", "ص", "صباحا", "πμ"))

#: Units of relative dates, in seconds; months and years are means.
UNITS: Final[dict[str, int]] = {
    fold(word): seconds
    for seconds, words in (
        (
            1,
            (
                "detik saat second seconds sec secs segundo segundos seconde secondes sekunde sekunden secondo secondi"
                " seconden saniye секунд секунды секунду sekund sekundy 秒 秒钟 秒鐘 초 ثانية ثوان सेकंड giây s"
            ),
        ),
        (
            60,
            (
                "menit mnt minit minute minutes min mins minuto minutos minuten minut minuti minuta minuty dakika"
                " минут минуты минуту мин хвилин хвилини minuut 分 分钟 分鐘 분 دقيقة دقائق मिनट phút m"
            ),
        ),
        (
            3600,
            (
                "jam hour hours hr hrs hora horas heure heures stunde stunden ora ore uur uren saat"
                " час часа часов годин години godzin godziny godzinę godzina timmar timer tunti tuntia"
                " 小时 小時 時間 시간 ساعة ساعات घंटे घंटा giờ h j"
            ),
        ),
        (
            86_400,
            (
                "hari day days día días dia dias jour jours tag tage tagen giorno giorni dag dagen gün"
                " день дня дней дні днів dzień dni dagar dage päivää 天 日 일 يوم أيام दिन ngày d"
            ),
        ),
        (
            604_800,
            (
                "minggu pekan week weeks semana semanas semaine semaines woche wochen settimana settimane weken hafta"
                " неделя недели недель неделю tydzień tygodnie tygodni 周 週間 주 أسبوع أسابيع सप्ताह हफ्ते tuần w"
            ),
        ),
        (
            2_629_746,
            (
                "bulan month months mes meses mois monat monate monaten mese mesi maand maanden ay mês"
                " месяц месяца месяцев miesiąc miesiące miesięcy 个月 個月 か月 ヶ月 개월 شهر أشهر महीने महीना tháng"
            ),
        ),
        (
            31_556_952,
            (
                "tahun year years yr yrs año años ano anos an ans année années jahr jahre jahren anno anni jaar yıl"
                " год года лет rok lata lat 年 년 سنة سنوات साल वर्ष năm y"
            ),
        ),
    )
    for word in words.split()
}

_AGO_WORDS = (
    "lalu tadi silam lepas ago hace atrás há ha fa vor geleden önce назад тому temu sedan siden"
    " sitten 前 전 منذ قبل पहले trước"
)
#: Words that put a span of time into the past.
AGO: Final = frozenset(fold(word) for word in _AGO_WORDS.split())

#: "An hour", as one word or two.
_ONE_WORDS = "a an one un una une uno eine einer einem ein um uma satu bir"
ONE: Final = frozenset(_ONE_WORDS.split())
#: One unit in one Indonesian word.
ONE_UNIT: Final[dict[str, int]] = {
    "sedetik": 1,
    "semenit": 60,
    "sejam": 3600,
    "sehari": 86_400,
    "seminggu": 604_800,
    "sepekan": 604_800,
    "sebulan": 2_629_746,
    "setahun": 31_556_952,
}

ZONE_PHRASES: Final = {
    "waktu indonesia barat": "wib",
    "waktu indonesia tengah": "wita",
    "waktu indonesia timur": "wit",
}

#: Days back from today.
DAY_WORDS: Final[dict[str, int]] = {
    fold(word): days
    for days, words in (
        (
            0,
            ("today hoy hoje aujourdhui aujourd’hui heute oggi vandaag bugün сегодня сьогодні dziś dzisiaj idag"),
        ),
        (0, "今天 今日 오늘 اليوم आज σήμερα"),
        (1, "yesterday kemarin kemaren ayer ontem hier gestern ieri gisteren dün вчера вчора wczoraj igår"),
        (1, "昨天 昨日 어제 أمس χθες semalam"),
    )
    for word in words.split()
}
#: Phrases for today and for this very moment.
TODAY_PHRASES: Final = ("hari ini", "i dag", "hom nay")
NOW_PHRASES: Final = (
    *("just now", "right now", "baru saja", "barusan", "beberapa saat lalu", "beberapa saat yang lalu"),
    *("刚刚", "たった今", "à l'instant"),
)
