"""Every lie, and what cannot be lied about yet because it is not built."""

from __future__ import annotations

from typing import Final

from dishonest import Lie
from lies_archives import LIES_OF_ARCHIVES
from lies_conditions import CONDITION_LIES
from lies_drills import DRILL_LIES
from lies_limits import LIMIT_LIES
from lies_originals import ORIGINALS
from lies_reads import ABOUT_READS
from lies_recalibrated import RECALIBRATED_LIES
from lies_records import RECORDS
from lies_reports import ABOUT_REPORTS
from lies_running import RUNNING
from lies_samples import ABOUT_SAMPLES
from lies_years import LIES_OF_YEARS

LIES: Final[tuple[Lie, ...]] = (
    *ORIGINALS,
    *RUNNING,
    *RECORDS,
    *LIES_OF_YEARS,
    *LIES_OF_ARCHIVES,
    *ABOUT_READS,
    *ABOUT_SAMPLES,
    *ABOUT_REPORTS,
    *LIMIT_LIES,
    *DRILL_LIES,
    *RECALIBRATED_LIES,
    *CONDITION_LIES,
)
BY_NAME: Final = {lie.name: lie for lie in LIES}

PENDING: Final = {
    "budget": "The privacy budget is overspent.",
    "consultation": "A charter comes into force that nobody was consulted on, or answered about.",
    "requests": "What an individual asked under their rights is not answered in time.",
}
"""Lies about what this version does not do: by the promise that would be broken. They are counted apart."""
