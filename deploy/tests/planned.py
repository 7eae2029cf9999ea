"""Metrics that rules and dashboards use, and that are not in docs/metrics.md yet. What is there by now is taken off."""

PLANNED = {
    "factorial_oldest_queued_age_seconds",
    "factorial_queue_wait_seconds",
    "factorial_worker_cost_usd_total",
}
