"""What others may wake up on; sent after the commit, so that a receiver finds the row."""

from django.dispatch import Signal

owner_alert_raised = Signal()  # alert_id, delivery_ids; also when one more of the same was counted
