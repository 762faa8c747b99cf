"""Alerts, verdicts and the hand-over to a responder: states and rules, without storage."""
