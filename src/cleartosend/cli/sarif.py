"""Findings as SARIF, which code hosts and editors show beside the lines they are about."""

from collections.abc import Iterable
from typing import Any

from cleartosend import __version__
from cleartosend.cli.template_files import Written
from cleartosend.model.verdicts import Action, Finding, Verdict

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
VERSION = "2.1.0"
_LEVELS = {Action.REFER: "warning", Action.REJECT: "error", Action.BAN: "error"}


def as_sarif(judged: Iterable[tuple[Written, Verdict]]) -> dict[str, Any]:
    """One run with a result for each finding (SARIF 2.1.0, 3.14 and 3.27)."""
    found = [(written, finding) for written, verdict in judged for finding in verdict.findings]
    return {
        "$schema": SCHEMA,
        "version": VERSION,
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "cleartosend",
                        "version": __version__,
                        "rules": [_rule(finding) for finding in {its.rule: its for _, its in found}.values()],
                    }
                },
                # Offsets are counted in characters, as Python does.
                "columnKind": "unicodeCodePoints",
                "results": [_result(written, finding) for written, finding in found],
            }
        ],
    }


def _rule(finding: Finding) -> dict[str, Any]:
    return {"id": finding.rule, "fullDescription": {"text": finding.clause}, "properties": {"tags": [finding.category]}}


def _result(written: Written, finding: Finding) -> dict[str, Any]:
    quote = f"“{finding.quote}” " if finding.quote else ""
    better = f"\n→ {finding.fix}" if finding.fix else ""
    return {
        "ruleId": finding.rule,
        "level": _LEVELS[finding.action],
        "message": {"text": f"{quote}{finding.because}{better}"},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": written.path.as_posix()},
                    "region": {
                        "startLine": written.first_line,
                        "endLine": written.last_line,
                        "snippet": {"text": written.submission.text},
                    },
                },
                "logicalLocations": [{"name": written.name}] if written.name else [],
            }
        ],
    }
