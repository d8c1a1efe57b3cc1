"""What the layers above may wake up on. Sent with send_robust, after the commit."""

from django.dispatch import Signal

run_finished = Signal()  # run_id
