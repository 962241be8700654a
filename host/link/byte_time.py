"""How long the link takes for a byte when it is slow: whether shorter packets would arrive sooner.

Time goes to each packet, whatever its length, and to its bytes. A link that loses packets costs time for each packet; a
link of a low rate costs time for each byte. Only the second one gains by shorter packets. How often a packet is
repeated is luck: the time of a single one says little.
"""

from __future__ import annotations

from collections import deque

from ..wire import Credit

_WRAP_16, _WRAP_32 = 1 << 16, 1 << 32
#: Acknowledgements that the line goes through, and the last ones of them that say how slow the link is.
_KEPT, _LATEST = 512, 128
#: The link is slow in this share of its busy time, by the mean times of so many packets in a row.
_SLOW, _RUN = 0.25, 4
#: Packets must differ so much in length that the two times can be told apart: the least determinant of the normal
#: equations, as a share of the largest possible one.
_DIFFERENT = 0.03
_RIDGE = 0.1
#: A byte may take so many times its mean time when the link is slow; what seems more is the luck of single packets.
_MOST_TIMES = 4.0
#: Shorter packets gain nothing from where packets take the first share of the time until they take less than the other
#: one, both without the ridge: it hides most of what packets take while short ones are rare.
_OF_PACKETS, _OF_BYTES = 0.85, 0.6


class ByteTime:
    """Estimates the two times from credits: a line through the last acknowledgements, by least squares."""

    def __init__(self) -> None:
        self._since: Credit | None = None  # the last credit that acknowledged any packet
        self._samples: deque[tuple[int, int, int]] = deque(maxlen=_KEPT)  # packets, codec bytes, busy time in us
        self._packet_us = 0.0
        self._byte_us: float | None = None
        self._share = 0.0  # of the time that packets take
        self._of_packets = False

    def restart(self) -> None:
        """Expect the board's totals to restart from zero; the estimate stays."""
        self._since = None

    def update(self, credit: Credit) -> None:
        """Take the totals of a credit."""
        since = self._since
        if since is None:
            self._since = credit
            return
        packets = (credit.acked_packets - since.acked_packets) % _WRAP_16
        if packets == 0:
            return
        self._since = credit
        acked_bytes = (credit.acked_bytes - since.acked_bytes) % _WRAP_32
        if acked_bytes:
            self._samples.append((packets, acked_bytes, (credit.busy_us - since.busy_us) % _WRAP_32))

    def slow_us(self) -> float:
        """Return the time of a codec byte in us, apart from that of its packet, when the link is slow; 0 if unknown."""
        self._fit()
        times = [(max(0.0, (us - self._packet_us * n) / size), us) for n, size, us in self._runs()]
        slower_us, slow_us = 0.0, _SLOW * sum(us for _, us in times)
        for byte_us, us in sorted(times, reverse=True):
            slower_us += us
            if slower_us >= slow_us:
                return byte_us if self._byte_us is None else min(byte_us, _MOST_TIMES * self._byte_us)
        return 0.0

    def _runs(self) -> list[tuple[int, int, int]]:
        """Return the sums of the last acknowledgements over runs of ``_RUN`` packets or more, but for the last run."""
        runs: list[tuple[int, int, int]] = []
        packets = _RUN
        for n, size, us in list(self._samples)[-_LATEST:]:
            if packets >= _RUN:
                packets = 0
                runs.append((0, 0, 0))
            packets, sums = packets + n, runs[-1]
            runs[-1] = packets, sums[1] + size, sums[2] + us
        return runs

    def is_of_packets(self) -> bool | None:
        """Return whether the packets, not their bytes, take most of the time; None while their lengths do not tell."""
        self._fit()
        if self._byte_us is None:
            return None
        self._of_packets = self._share > (_OF_BYTES if self._of_packets else _OF_PACKETS)
        return self._of_packets

    def _fit(self) -> None:
        """Estimate the times of a packet and of a byte; 0 and unknown while all packets have about the same length.

        What the lengths do not tell apart counts as time for bytes (a ridge on the time of a packet).
        """
        packets = total_us = nn = nb = bb = nt = bt = 0
        for n, size, us in self._samples:
            packets, total_us = packets + n, total_us + us
            nn, nb, bb = nn + n * n, nb + n * size, bb + size * size
            nt, bt = nt + n * us, bt + size * us
        self._packet_us, self._share, self._byte_us = 0.0, 0.0, None
        determinant, numerator = nn * bb - nb * nb, nt * bb - bt * nb
        if determinant > _DIFFERENT * nn * bb:
            self._packet_us = max(0.0, numerator / (determinant + _RIDGE * nn * bb))
            self._share = numerator / determinant * packets / max(1, total_us)
            self._byte_us = max(0.0, (bt - self._packet_us * nb) / bb)
