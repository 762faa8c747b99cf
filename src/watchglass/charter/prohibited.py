"""What is refused whatever a charter says (law 3): practices that identify, sort or score people.

Where a word *structures* the charter (a key, a kind, a name, what an analytic looks for) it is refused. In running
text, where "never used for face recognition" is a promise, it only draws a warning that a person must read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Practice:
    """One practice that no charter may contain.

    Attributes:
        id: its name in findings.
        what: it in plain words, after "it is about".
        article: the law that forbids it, or law 3 of this house where it goes further than the law.
        words: what it is called, separated by commas. A trailing ``*`` matches any ending; a leading ``=`` matches only
            a name that is nothing else, so that "race-day" may be noticed and "race" may not.
    """

    id: str
    what: str
    article: str
    words: str

    @property
    def message(self) -> str:
        """What to tell a person."""
        return f"Watchglass never does this, whatever a charter says: {self.what} ({self.article})."


FIX: Final = "Remove it. There is no setting, key or approval that permits it."

PRACTICES: Final = (
    Practice(
        "re-identification",
        "following one person from camera to camera or from visit to visit",
        "EU AI Act Art. 5(1)(h); house law 3",
        "reid, re id, reidentif*, re identif*, cross camera*, multi camera*, follow person*, person track*, "
        "appearance*, embedding*, repeat visitor*, returning visitor*, returning person*",
    ),
    Practice(
        "biometric-identification",
        "identifying people by face, gait, voice or body",
        "EU AI Act Art. 5(1)(h); house law 3",
        "face, faces, face rec*, face match*, face id*, facial, facerec*, facematch*, facedetect*, "
        "faceprint*, faceid*, gait*, voiceprint*, biometric*, "
        "iris scan*, =iris, fingerprint*, identify, identification, identity, watchlist*, watch list*, blacklist*, "
        "wanted person*, known person*, person id, who is",
    ),
    Practice(
        "face-scraping",
        "collecting faces or pictures of people from the internet or from cameras",
        "EU AI Act Art. 5(1)(e)",
        "scrape*, scraping, =crawl, web crawl*, crawler*, data harvest*, face harvest*, clearview*",
    ),
    Practice(
        "emotion",
        "guessing what people feel, intend or are like from how they look",
        "EU AI Act Art. 5(1)(f); house law 3",
        "emotion*, mood, moods, sentiment*, =stress, stress level*, anger, angry, aggressive*, aggression*, nervous*, "
        "=intent, intention*, suspicious behav*, suspicious person*, suspicious people, lie detect*, personality",
    ),
    Practice(
        "sensitive-traits",
        "sorting people by ethnic origin, religion, sex, sexual orientation, age, health, politics or union membership",
        "EU AI Act Art. 5(1)(g); GDPR Art. 9",
        "ethnic*, =race, racial*, skin, skin colo*, religio*, gender*, =sex, sexual*, =orientation, disabled*, "
        "disability, pregnan*, =politics, political*, =union, union member*, trade union*, protester*, activist*, "
        "nationality, migrant*, =age, age group*, headscarf*, hijab*, clothing*, demographic*",
    ),
    Practice(
        "plate-reading",
        "reading number plates",
        "GDPR Art. 5(1)(c); house law 3",
        "plate, plates, platerec*, anpr, alpr, lpr, numberplate*, licenceplate*, licenseplate*",
    ),
    Practice(
        "person-scores",
        "giving people scores for trust, risk or conduct",
        "EU AI Act Art. 5(1)(c); house law 3",
        "social scor*, risk score*, person risk*, person score*, threat score*, threat level*, trust score*, "
        "score person*, score people, suspect, suspects",
    ),
    Practice(
        "crime-prediction",
        "predicting that a person will commit a crime from a profile",
        "EU AI Act Art. 5(1)(d)",
        "predictive polic*, crime predict*, predict crime*, predict offend*, profile, profiles, profiling, recidiv*, "
        "offender*, precrime*, pre crime*",
    ),
    Practice(
        "online-behaviour",
        "using what people do or say online, on their phones or on social media",
        "GDPR Art. 5(1)(b); house law 3",
        "social media*, socialmedia*, browsing*, browser histor*, web histor*, facebook*, instagram*, tiktok*, "
        "twitter*, whatsapp*, =phone, =phones, phone id*, phone track*, imsi*, wifi track*, wifi prob*, =wifi, "
        "bluetooth*, mac address*, location histor*",
    ),
    Practice(
        "listening",
        "listening to what people say",
        "GDPR Art. 5(1)(c); house law 3",
        "audio*, microphone*, speech*, conversation*, =voice, voices, eavesdrop*",
    ),
    Practice(
        "staff-performance",
        "using the record of who looked at what to judge how well staff work",
        "LED Art. 25(2); GDPR Art. 5(1)(b)",
        "=performance, performance manag*, performance review*, performance apprais*, performance evaluat*, "
        "performance assess*, performance measur*, performance monitor*, performance rating*, work performance*, "
        "staff performance*, employee performance*, productivity*, appraisal*, disciplin*, staff monitor*, "
        "staff rank*, staff scor*, staff evaluat*, employee monitor*, employee rank*, employee scor*, "
        "employee evaluat*, worker monitor*, worker scor*, workforce monitor*, human resources, =hr",
    ),
)

# In running text only what names a practice outright is worth a person's time.
_COMMON_IN_TEXT: Final = frozenset(
    {"face", "faces", "identify", "identification", "identity", "who is", "clothing*", "appearance*", "profile"}
    | {"skin", "mood", "moods", "anger", "angry", "suspect", "suspects", "personality", "speech*", "conversation*"}
)


def _words(text: str) -> str:
    """Small letters and single spaces around every word: ``faceRecognition`` and ``face_recognition`` are one."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", text)
    return " " + " ".join(re.findall(r"[^\W_]+", spaced.lower())) + " "


def _pattern(stem: str) -> re.Pattern[str]:
    bare = re.escape(stem.strip("=*"))
    if stem.startswith("="):
        return re.compile(f"^ {bare} $")
    return re.compile(f" {bare}" + (r"\w*" if stem.endswith("*") else "") + " ")


_ALL: Final = tuple((practice, stem, _pattern(stem)) for practice in PRACTICES for stem in practice.words.split(", "))


def prohibited(term: str) -> Practice | None:
    """The practice that a key, kind or name stands for, if it stands for one."""
    words = _words(term)
    return next((practice for practice, _, pattern in _ALL if pattern.search(words)), None)


def mentions(text: str) -> Iterator[tuple[Practice, str]]:
    """Practices that a running text speaks of, each once, with the words found. Speaking of one may be a promise."""
    words = _words(text)
    seen: set[str] = set()
    for practice, stem, pattern in _ALL:
        if stem in _COMMON_IN_TEXT or practice.id in seen:
            continue
        found = pattern.search(words)
        if found:
            seen.add(practice.id)
            yield practice, found.group().strip()
