"""The longest that judging takes for texts made to be slow: stuffed with what rules look for, disguised, or noise."""

import random
import time
from collections.abc import Callable

from cleartosend.model.verdicts import MessageType, Part, Submission
from cleartosend.policy.judge import judge
from cleartosend.policy.rulebook import Rulebook, load_rulebook
from cleartosend.testing import attacks

TEXTS = 400
CHARACTERS = 10_000
BUDGET_MILLISECONDS = 20
SHOWN = 40
PIECES = (
    "贷 款 ",
    "wei xin ",
    "l0an ",
    "代贝 ",
    "{1}",
    ".com",
    "a.",
    "1380013",
    "鹅肚",
    "l.o.a.n ",
    "加薇❤",
    "а",
    "【",
    "http://",
)


def main() -> None:
    rulebook = load_rulebook()
    made = makers(rulebook, random.Random(1))  # noqa: S311 - no secret
    worst: list[tuple[float, str]] = []
    for turn in range(TEXTS):
        text = made[turn % len(made)]()[:CHARACTERS]
        for part in (Part.TEMPLATE, Part.MESSAGE):
            submission = Submission(text=text, type=MessageType.NOTIFICATION, part=part)
            judge(submission, rulebook)  # patterns are made ready when they are first needed
            started = time.process_time()
            judge(submission, rulebook)
            worst.append(((time.process_time() - started) * 1000, text[:SHOWN]))
    worst.sort(reverse=True)
    print(f"the worst of {len(worst)}, in CPU ms; budget {BUDGET_MILLISECONDS}")
    for milliseconds, beginning in worst[:5]:
        print(f"{milliseconds:8.1f}  {beginning!r}")


def makers(rulebook: Rulebook, rng: random.Random) -> tuple[Callable[[], str], ...]:
    words = [word for rule in rulebook.rules for word in rule.words]
    caught = [rule.submission_of(example).text for rule in rulebook.rules for example in rule.catches]
    several = list(attacks.ALL.values())

    def repeated(of: list[str] | tuple[str, ...], between: str = "") -> Callable[[], str]:
        return lambda: between.join(rng.choices(of, k=3000))

    return (
        repeated(words),
        repeated(caught, " "),
        repeated(PIECES),
        lambda: rng.choice(PIECES) * 3000,
        lambda: rng.choice(several)(" ".join(rng.choices(caught, k=60)), rng),
        lambda: "".join(chr(rng.choice((rng.randrange(0x4E00, 0x9FA5), rng.randrange(32, 127)))) for _ in range(4000)),
    )


if __name__ == "__main__":
    main()
