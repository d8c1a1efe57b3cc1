"""The numbers of rollouts, with unit and reason. Durations marked (clock) are multiplied by ROLLOUT_CLOCK."""

# --- Phases ---
FULL_WATCH_S = 600.0  # (clock) everyone is on it and the old stable is kept warm beside it
HOLD_S = 1800.0  # (clock) a held rollout goes back unless the owner says otherwise before
REPLAY_S = 300.0  # real time: nobody answers a wish for a replay that is older than that
PENDING_S = 3600.0  # real time: a candidate that found no turn for so long is given up

# --- Evidence ---
# Zero bad answers out of 59 bound the error rate below 5 % with 95 % confidence.
SIMILAR_MIN_REQUESTS = 59
AFFECTED_MIN_REQUESTS = 1  # on a touched route; one user's phase is judged by hard signals, not by rates
ALPHA_ERRORS = 0.02  # chance of a false rollback over the whole rollout, per metric, however often we look
ALPHA_LATENCY = 0.02
CONTROL_PER_BLOCK = 9  # control requests per canary request in one block of the test
MEMBER_REQUESTS_PER_LOOK = 10  # requests of one user are correlated: more of his count as these
BASELINE_MIN_REQUESTS = 20  # fewer control requests on a route give no p95 worth comparing with
BASELINE_WINDOW_S = 3600.0
LOOKBACK_S = 86_400.0  # a fingerprint that stable showed in this time is not new
NEW_FINGERPRINT_SUBJECTS = 2  # distinct users it takes past the affected user's phase
HEALTH_FAILURES = 2  # failed health checks in a row that make a candidate unhealthy
TELEMETRY_STALE_S = 10.0  # the log reader beats every second; older means that we are blind
UNKNOWN_ROLLBACK_S = 20.0  # blind for so long: back to stable

# --- Cohorts ---
SIMILAR_SHARE = 10.0  # percent of the users seen lately
SIMILAR_WINDOW_S = 86_400.0

# --- Processes ---
START_S = 30.0  # a process that has not answered its health check by then is a failed start
SETUP_S = 45.0  # the host's setup command in a fresh tree; the heal run that waits holds a lease of 60 s
HEALTH_TIMEOUT_S = 2.0
STOP_S = 5.0  # between SIGTERM and SIGKILL
DRAIN_S = 10.0  # the replaced stable finishes its requests
MEMORY_DEFAULT_MB = 256  # of one process when stable could not be measured
MEMORY_FACTOR = 1.3
MEMORY_RESERVE_MB = 256  # stays free for everything else on the machine

# --- Request records ---
STABLE_RECORDS_PER_S = 50  # stored rows of stable's traffic; candidates' are all stored
RECORDS_KEEP_S = 7200.0

# --- Control ---
LEASE_S = 60.0  # one advance holds the rollout's row for so long
