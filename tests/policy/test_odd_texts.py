"""Texts made to be slow or to break something are judged like any other; `make bench` searches them for slow ones."""

from hypothesis import HealthCheck, given, settings
from policy.odd import Odd, odd_submissions

from cleartosend.model.verdicts import Submission
from cleartosend.policy.judge import judge, suggest
from cleartosend.policy.rulebook import load_rulebook

RULEBOOK = load_rulebook()


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(odd_submissions(RULEBOOK))
def test_whatever_is_judged_each_finding_quotes_the_text_in_its_order(its: tuple[Odd, Submission]) -> None:
    _odd, submission = its
    verdict = suggest(submission, judge(submission, RULEBOOK), RULEBOOK)
    starts = [finding.start for finding in verdict.findings]
    assert starts == sorted(starts)
    for finding in verdict.findings:
        assert 0 <= finding.start <= finding.end <= len(submission.text)
        assert finding.quote == submission.text[finding.start : finding.end]
