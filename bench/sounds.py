"""
Writes policy/syllables.toml and policy/sounds.toml: which characters sound alike, and which words are worth hiding so.

It needs pypinyin 0.55, which nothing else does (`pip install pypinyin`), and messages to count usual words in: a file
of JSON lines with `text` and `lang`, plain or gzipped. `python bench/sounds.py MESSAGES`.
"""

import gzip
import json
import re
import sys
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

from pypinyin import lazy_pinyin
from pypinyin.phrases_dict import phrases_dict

POLICY = Path(__file__).resolve().parent.parent / "src" / "cleartosend" / "policy"
OF_FORM = {"excuses", "form", "mms", "types", "resemblance"}
FIRST_ROW, FIRST_ROW_OF_RARER, PAST_THE_LAST = 0xB0, 0xD8, 0xF8  # of the characters of GB 2312
HANS = re.compile(r"[\u4e00-\u9fa5]+")
WORDS = re.compile(r"[\u4e00-\u9fa5]{2,5}")
LETTERS = re.compile(r"[a-z]{4,}")
ESCAPE = re.compile(r"\\[a-z]")
CLASS = re.compile(r"\[\^?[^\]]*\]")
LONGEST_COUNTED = 4
USUAL_FROM = 3
WIDTH = 58

HEAD_OF_SYLLABLES = """\
# Which Chinese characters sound alike, tones apart: a syllable, the common characters that are read so and, behind the
# space, the rarer ones. The characters are those of GB 2312, in two levels as there; a character of several readings
# stands with its usual one. Made by bench/sounds.py, which asks pypinyin 0.55 (MIT) about each single character.

"""
HEAD_OF_SOUNDS = """\
# Words that are worth writing by their sound: those of the rules, one for each sequence of syllables. What is read like
# one of them and is no usual word itself is taken for a disguise of it. Made by bench/sounds.py from the rules, with
# the usual words by their counts in public messages and in the phrases of pypinyin 0.55 (MIT).

words = \"\"\"
{words}
\"\"\"

# Usual words that sound like one of the above and mean what they say.
usual = \"\"\"
{usual}
\"\"\"

# Words in Latin letters that the rules look for, which digits and signs may stand for.
letters = \"\"\"
{letters}
\"\"\"
"""


def main(messages: Path) -> None:
    syllables = dict(sorted(read_alike().items()))
    lines = (f'{syllable} = "{common} {rarer}"\n' for syllable, (common, rarer) in syllables.items())
    (POLICY / "syllables.toml").write_text(HEAD_OF_SYLLABLES + "".join(lines), "utf-8")
    sound_of = {character: syllable for syllable, alike in syllables.items() for character in "".join(alike)}

    by_sound: dict[tuple[str, ...], list[tuple[int, str]]] = defaultdict(list)
    for word, times in words_of_rules().items():
        by_sound[tuple(sound_of.get(character, character) for character in word)].append((times, word))
    counts: Counter[str] = Counter()
    for stretch in stretches(messages):
        for length in range(2, LONGEST_COUNTED + 1):
            counts.update(stretch[start : start + length] for start in range(len(stretch) - length + 1))
    words: list[str] = []
    usual: set[str] = set()
    for several in by_sound.values():
        words.append(max(several)[1])
        usual.update(word for _, word in several)
    common = (word for word, times in counts.items() if times >= USUAL_FROM)
    for word in (*common, *phrases_dict):
        if tuple(sound_of.get(character, character) for character in word) in by_sound:
            usual.add(word)
    usual.difference_update(words)
    written = HEAD_OF_SOUNDS.format(words=wrapped(words), usual=wrapped(usual), letters=wrapped(words_in_letters()))
    (POLICY / "sounds.toml").write_text(written, "utf-8")
    print(f"{len(sound_of)} characters, {len(words)} words, {len(usual)} usual ones that sound like them")


def read_alike() -> dict[str, tuple[str, str]]:
    """The common and the rarer characters of each syllable."""
    alike: dict[str, tuple[str, str]] = defaultdict(lambda: ("", ""))
    for row in range(FIRST_ROW, PAST_THE_LAST):
        for cell in range(0xA1, 0xFF):
            try:
                character = bytes([row, cell]).decode("gb2312")
            except UnicodeDecodeError:
                continue
            syllable = lazy_pinyin(character)[0].replace("ü", "v")
            common, rarer = alike[syllable]
            rare = row >= FIRST_ROW_OF_RARER
            alike[syllable] = (common, rarer + character) if rare else (common + character, rarer)
    return alike


def words_of_rules() -> Counter[str]:
    """The Chinese words that the rules look for, and how often, words counting thrice what pieces of patterns do."""
    words: Counter[str] = Counter()
    for file in sorted((POLICY / "rules").glob("*.toml")):
        if file.stem in OF_FORM:
            continue
        for rule in tomllib.loads(file.read_text("utf-8")).get("rule", ()):
            if rule["id"].endswith("mentioned"):
                continue
            for word in rule.get("words", ()):
                if WORDS.fullmatch(word):
                    words[word] += 3
            for pattern in rule.get("patterns", ()):
                words.update(WORDS.findall(CLASS.sub(" ", pattern)))
    return words


def words_in_letters() -> set[str]:
    """The words in Latin letters that the rules look for."""
    words: set[str] = set()
    for file in (POLICY / "rules").glob("*.toml"):
        if file.stem in OF_FORM:
            continue
        for rule in tomllib.loads(file.read_text("utf-8")).get("rule", ()):
            for wording in (*rule.get("words", ()), *rule.get("patterns", ())):
                words.update(LETTERS.findall(ESCAPE.sub(" ", CLASS.sub(" ", wording))))
    return words


def stretches(messages: Path) -> Iterator[str]:
    opened = gzip.open if messages.suffix == ".gz" else open
    with opened(messages, "rt", encoding="utf-8") as lines:
        for line in lines:
            message = json.loads(line)
            if message["lang"] == "zh":
                yield from HANS.findall(message["text"])


def wrapped(words: Iterable[str]) -> str:
    lines = [""]
    for word in sorted(words):
        if len(lines[-1]) + len(word) >= WIDTH:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return "\n".join(lines)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
