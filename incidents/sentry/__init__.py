"""The Sentry envelope protocol, as far as we take it: a host points its existing DSN here.

Written from https://develop.sentry.dev/sdk/foundations/transport/envelopes/ and the event payload's
description there.
"""
