"""What spans and metrics call what became of something."""

from typing import Final

OK: Final = "ok"
REFUSED: Final = "refused"
ERROR: Final = "error"
IDLE: Final = "idle"
"""Of a job's round: there was nothing to do."""

JOB: Final = "job"
"""The span of a job's round."""
