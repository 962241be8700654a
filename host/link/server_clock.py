"""What a sender knows of the edge server: its clock, the way back from it, and its time for a picture.

Every pong and result says when it left the server, on the server's clock. The difference to its arrival is the time of
the way back less the offset of the two clocks. So a picture's answer, due here at ``d``, has to leave the server at
``d`` less a usual difference: neither clock offset nor way back is needed by itself.
"""

from __future__ import annotations

from .event_phase import EventPhase
from .image_number import CLOCK_MODULO_US, number_of
from .samples import RecentSamples

#: A difference that jumps by more than this comes from another clock, us.
JUMP_US = 2_000_000
#: Two clocks drift apart by less than this while a reading of one is used, us.
DRIFT_US = 20_000
#: The way back that a picture's last answer gets is one that this share of the answers did not exceed.
USUAL = 0.25
#: An answer should leave so much before the connection event that takes it, us.
GUARD_US = 1_000
#: The margin starts with this, us. It grows with a picture whose answer was late if another one was late among the last
#: ``LATE_WITHIN``, by its lateness and as much, but at most by the step, us: one now and then is the air's. It shrinks
#: by as much with so many in time. An answer that is later than the most is no matter of a margin.
LATER_US, LATE_WITHIN, MOST_STEP_US, IN_TIME_FOR_ONE_LATE, MOST_MARGIN_US = 4_000.0, 25, 12_000.0, 100, 25_000.0
#: The margin's largest share of the time for sending.
MOST_SHARE = 0.15


class ServerClock:
    """Estimates from pongs and results. Times in us of the sender's clock."""

    def __init__(self) -> None:
        #: The least that a round trip and the server's time ever took together, and that time; 0 before the first pong.
        self.least_us = 0
        self.least_service_us = 0
        self.events = EventPhase()
        self._margin_us = LATER_US
        self._in_time = 0  # pictures since the last one that was late
        self._service = RecentSamples(most=9)
        self._round_trips = RecentSamples()
        self._differences = RecentSamples(most=96)
        self._reference: int | None = None

    @property
    def known(self) -> bool:
        """Whether anything was heard of the server."""
        return self._reference is not None

    def behind_us(self, now_us: int, clock_us: int) -> int:
        """Return how much longer than the fastest one a reading was on its way; 0 before anything was heard."""
        if not self.known:
            return 0
        return round(self._relative((now_us - clock_us) % CLOCK_MODULO_US) - self._differences.quantile(0))

    @property
    def soonest_us(self) -> float:
        """The least that ``behind_us`` can be: a reading does not arrive before it left."""
        return -2 * self.least_one_way_us - DRIFT_US

    def on_pong(self, now_us: int, clock_us: int, round_trip_us: int, service_us: int) -> None:
        """Take a pong: the server's clock, the round trip without the time that it was held, and the time expected."""
        if not self.soonest_us <= self.behind_us(now_us, clock_us) <= round_trip_us + DRIFT_US:
            self._forget_clock()  # it left before the ping was sent, or after it arrived: it is another clock
        self._round_trips.add(now_us, round_trip_us)
        self._service.add(now_us, service_us)
        self._on_departure(now_us, clock_us)
        least_us = round_trip_us + service_us
        if self.least_us == 0 or least_us < self.least_us:
            self.least_us, self.least_service_us = least_us, service_us

    def on_result(self, now_us: int, clock_us: int, service_us: int) -> None:
        """Take a result: the server's clock, and the time that it took, 0 if it decoded nothing."""
        self._on_departure(now_us, clock_us)
        if service_us:
            self._service.add(now_us, service_us)

    def on_outcome(self, late_us: int) -> None:
        """Take how late the answer was that a picture ended with; at most 0: in time.

        So the margin is as large as it has to be for most pictures: more where the server gives no provisional answers.
        """
        if late_us <= 0:
            self._in_time += 1
            self._margin_us = max(0.0, self._margin_us - LATER_US / IN_TIME_FOR_ONE_LATE)
        elif late_us <= MOST_MARGIN_US:
            if self._in_time < LATE_WITHIN:
                self._margin_us = min(self._margin_us + min(late_us + LATER_US, MOST_STEP_US), MOST_MARGIN_US)
            self._in_time = 0

    @property
    def margin_us(self) -> float:
        """How much earlier than in the last moment answers should arrive."""
        return self._margin_us

    @property
    def least_one_way_us(self) -> float:
        """Half of the least round trip: what one way takes at best."""
        return self._round_trips.quantile(0) / 2

    @property
    def service_us(self) -> float:
        """The time that the server usually needs for a picture."""
        return self._service.quantile(0.5)

    @property
    def way_back_us(self) -> float:
        """The usual time from an answer's departure to its arrival."""
        return self.least_one_way_us + self._differences.quantile(USUAL) - self._differences.quantile(0)

    def leaves_by_us(self, now_us: int, answer_by_us: int) -> float:
        """Return when an answer that is due here at ``answer_by_us`` has to leave the server, on this clock.

        The margin takes at most ``MOST_SHARE`` of the time from ``now_us`` on that is left for sending.
        """
        left_us = answer_by_us - now_us - self.service_us - 2 * self.least_one_way_us
        margin_us = min(self._margin_us, MOST_SHARE * max(0.0, left_us))
        event_us = self.events.last_before(answer_by_us - round(margin_us))
        if event_us is None:
            return answer_by_us - margin_us - self.way_back_us
        return event_us - GUARD_US - self.least_one_way_us

    def number_for(self, leaves_by_us: float) -> int:
        """Return the image number for an answer that has to leave the server at ``leaves_by_us``, on this clock."""
        least_us = self._differences.quantile(0)
        return number_of(round(leaves_by_us + self.least_one_way_us - (self._reference or 0) - least_us))

    def _relative(self, difference_us: int) -> int:
        assert self._reference is not None
        half_us = CLOCK_MODULO_US // 2
        return (difference_us - self._reference + half_us) % CLOCK_MODULO_US - half_us

    def _forget_clock(self) -> None:
        self._differences.clear()
        self._reference = None

    def _on_departure(self, now_us: int, clock_us: int) -> None:
        difference_us = (now_us - clock_us) % CLOCK_MODULO_US
        if self._reference is None or abs(self._relative(difference_us)) > JUMP_US:
            self._forget_clock()
            self._reference = difference_us
        self._differences.add(now_us, self._relative(difference_us))
        self.events.add(now_us)
