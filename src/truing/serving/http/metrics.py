"""Numbers for Prometheus. Labels come from lists in this package, so that clients cannot make new ones."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from truing.serving.asked import Service
from truing.serving.http.answering import Used

_SECONDS = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0)


class _Busy(Collector):
    """How busy the service is when it is asked."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def collect(self) -> Iterator[GaugeMetricFamily]:
        load = self._service.load()
        yield GaugeMetricFamily(
            "truing_running", "Answers that grow, and prompts that are searched.", load.running
        )
        yield GaugeMetricFamily("truing_waiting", "Requests that have not begun.", load.waiting)
        yield GaugeMetricFamily("truing_waiting_room", "How many requests may wait.", load.room)


class Metrics:
    """What the server counts, in a registry of its own.

    Args:
        service: is asked how busy it is.
    """

    def __init__(self, service: Service) -> None:
        self._registry = CollectorRegistry(auto_describe=True)
        self._registry.register(_Busy(service))
        self._requests = Counter(
            "truing_requests", "Requests by page and status.", ("endpoint", "status"), registry=self._registry
        )
        self._seconds = Histogram(
            "truing_request_seconds",
            "From the head of a request to the end of its reply.",
            ("endpoint",),
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._first = Histogram(
            "truing_first_token_seconds",
            "From a request to the first piece of its answer.",
            ("endpoint",),
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._tokens = Counter(
            "truing_tokens",
            "Tokens: prompt as read, completion as given, model as run, drawn in all.",
            ("kind",),
            registry=self._registry,
        )
        self._rewarded = Counter("truing_rewarded_texts", "Texts that rewards looked at.", registry=self._registry)
        self._refused = Counter(
            "truing_refused", "Requests that were not answered, by reason.", ("reason",), registry=self._registry
        )

    def replied(self, endpoint: str, status: int, seconds: float) -> None:
        """A request is done."""
        self._requests.labels(endpoint, str(status)).inc()
        self._seconds.labels(endpoint).observe(seconds)

    def first(self, endpoint: str, seconds: float) -> None:
        """The first piece of an answer came."""
        self._first.labels(endpoint).observe(seconds)

    def used(self, used: Used) -> None:
        """What an answered request used."""
        kinds = {
            "prompt": used.prompt_tokens,
            "completion": used.completion_tokens,
            "model": used.cost.model_tokens,
            "drawn": used.cost.answer_tokens,
        }
        for kind, count in kinds.items():
            self._tokens.labels(kind).inc(count)
        self._rewarded.inc(used.cost.reward_calls)

    def refused(self, reason: str) -> None:
        """A request was not answered."""
        self._refused.labels(reason).inc()

    def text(self) -> bytes:
        """As Prometheus reads it."""
        return generate_latest(self._registry)
