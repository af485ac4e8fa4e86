"""Ask the advisory source about everything installed here, and say honestly what was not answered.

Ends with 1 for a known vulnerability, with 0 otherwise, also where the source cannot be reached: a closed network is
no vulnerability. `pip-audit` itself reports "none found" when it could ask nothing, so its report is read, not its
last line.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class AuditResult:
    """Hold what the advisory source said.

    Args:
        asked: Packages it answered for.
        unanswered: Packages it gave no answer for.
        found: Package, version and advisory of each known vulnerability.
    """

    asked: int
    unanswered: int
    found: tuple[str, ...] = ()

    def text(self) -> str:
        """Say it in one line or more."""
        if self.found:
            return "known vulnerabilities:\n" + "\n".join(f"  {each}" for each in self.found)
        if not self.asked:
            return "not audited: the advisory source could not be asked about any package. This is no clean result."
        rest = f"; {self.unanswered} could not be asked about" if self.unanswered else ""
        return f"no known vulnerability in {self.asked} packages{rest}"


def judge(dependencies: Sequence[Mapping[str, Any]]) -> AuditResult:
    """Read the packages of a report."""
    answered = [each for each in dependencies if "skip_reason" not in each]
    found = [
        f"{each['name']} {each['version']}: {hit['id']}, fixed in {', '.join(hit['fix_versions']) or 'no release'}"
        for each in answered
        for hit in each.get("vulns", ())
    ]
    return AuditResult(len(answered), len(dependencies) - len(answered), tuple(found))


def ask() -> AuditResult:
    """Run pip-audit on this environment, without the project itself."""
    command = [sys.executable, "-m", "pip_audit", "--progress-spinner=off", "--skip-editable", "--format=json"]
    done = subprocess.run([*command, "--timeout=15"], capture_output=True, text=True, check=False)
    try:
        dependencies = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        sys.stderr.write(done.stderr[-2_000:])
        return AuditResult(0, 0)
    return judge([each for each in dependencies if each["name"] not in ("cint-nb", "cint_nb")])


def main() -> int:
    """Ask and tell."""
    verdict = ask()
    print(verdict.text())  # noqa: T201 - a command
    return 1 if verdict.found else 0


if __name__ == "__main__":
    sys.exit(main())
