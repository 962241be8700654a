"""Figures of the server for Prometheus."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from ..version import __version__

CONTENT_TYPE = CONTENT_TYPE_LATEST
_SECONDS = (0.025, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 0.75, 1.0, 2.0, 5.0, 10.0, 30.0)


class Metrics:
    """The metrics of one server, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self._pictures = Counter(
            "pnc_pictures", "Pictures with a final answer.", ["camera", "outcome"], registry=registry
        )
        self._seconds = Histogram(
            "pnc_answer_seconds",
            "Time from a picture's first packet at the server to its final answer.",
            ["camera"],
            buckets=_SECONDS,
            registry=registry,
        )
        self._dropped = Counter(
            "pnc_packets_dropped", "Picture packets that were of no use.", ["camera", "reason"], registry=registry
        )
        self._packets = Counter("pnc_packets", "Picture packets that arrived in time.", ["camera"], registry=registry)
        self._bytes = Counter("pnc_codec_bytes", "Codec bytes in them.", ["camera"], registry=registry)
        self.link_up = Gauge("pnc_link_up", "1: the radio connection is up.", ["camera"], registry=registry)
        self.goodput = Gauge(
            "pnc_goodput_bits_per_second", "Codec bits in the last second.", ["camera"], registry=registry
        )
        self.queue = Gauge("pnc_queue_packets", "Packets in the edge board's queue.", ["camera"], registry=registry)
        self.rssi = Gauge("pnc_rssi_dbm", "Signal strength.", ["camera"], registry=registry)
        self.serving = Gauge("pnc_serving", "1: the server has its board.", registry=registry)
        self.viewers = Gauge("pnc_viewers", "Browsers that follow the page.", registry=registry)
        Gauge("pnc_info", "Version of the program.", ["version"], registry=registry).labels(__version__).set(1)

    def packet(self, source: int, size: int) -> None:
        """Count a packet that arrived in time."""
        self._packets.labels(str(source)).inc()
        self._bytes.labels(str(source)).inc(size)

    def dropped(self, source: int, reason: str, count: int) -> None:
        """Count packets that were dropped."""
        self._dropped.labels(str(source), reason).inc(count)

    def answered(self, source: int, outcome: str, seconds: float) -> None:
        """Count a picture that got its final answer."""
        self._pictures.labels(str(source), outcome).inc()
        self._seconds.labels(str(source)).observe(max(0.0, seconds))

    def text(self) -> bytes:
        """Return all of them in Prometheus's text format."""
        return generate_latest(self.registry)
