"""Every number of healing, with its unit and its reason."""

LEASE_S = 60.0  # a worker that dies is replaced after so long; the sandbox renews every 2 s
RETRY_DELAY_S = 5.0  # pause after a step that failed for a passing reason, doubled on each attempt
SWEEP_BATCH = 50  # runs that one sweep hands to the workers

ANSWER_DEADLINE_S = 24 * 3600  # a question to the user is open for a day
OWNER_DEADLINE_S = 14 * 24 * 3600  # the owner may be on holiday
ROLLOUT_ARRIVAL_POLL_S = 0.5  # how often a run looks whether its user is on the candidate yet
ROLLOUT_POLL_S = 5.0  # and afterwards, when no signal came

RUNBOOKS_PER_USER_PER_DAY = 5  # applied runbooks for one user of one host: more is a loop, not a remedy
DEFAULT_COOLDOWN_S = 60.0
COOLDOWN_WAIT_S = 120.0  # a user waits this long for a remedy that works; longer, and another rung is tried

CLONE_RUNS = 5  # 5 of 5 failing before and 0 of 5 after: Fisher's exact p = 0.004
GENERIC_RUNS = 5
MAX_BASE_RUNS = 15  # a flaky fault is run until Fisher's test speaks, but never past this
FISHER_P = 0.01
REPAIR_BUDGET_S = 180.0
REPAIR_WORKERS = 2
MAX_FIX_TRIES = 3  # fixes that may fail verification before the owner gets the run
HOST_TEST_S = 300

EVIDENCE_REPORTS = 5  # latest reports in a pack; their sum explains an incident, a hundred more do not
EVIDENCE_TEXT = 500  # characters kept of one foreign text

PATTERN_MIN_SCORE = 0.75  # below it "no match" is the answer
PATTERN_RETIRE_AFTER = 2  # demotions
MIN_CONFIDENCE = 0.4  # a diagnosis below it is no cause found
