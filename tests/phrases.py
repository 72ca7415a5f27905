"""What the box says, in English, by the names that tests know it by."""

from airos_edge.languages.phrases import phrases

SAYS = phrases("en")
APOLOGY, CODE, TABLE = SAYS.apology, SAYS.code, SAYS.table
NOT_HEARD, NO_COMMAND, GIVEN_UP = SAYS.not_heard, SAYS.no_command, SAYS.given_up
STILL_THERE, NOT_FROM_THERE = SAYS.still_there, SAYS.not_from_there
YES, NO, DONE, NOT_DONE = SAYS.yes, SAYS.no, SAYS.done, SAYS.not_done
NO_TIMERS, LABEL = SAYS.no_timers, SAYS.in_demo
