"""Where the page is served: HOST:PORT."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

DEFAULT = "127.0.0.1:8800"
_LOCAL_NAMES = ("localhost", "localhost.localdomain", "ip6-localhost")


@dataclass(frozen=True, slots=True)
class Address:
    """A host and a TCP port; port 0: any free one."""

    host: str
    port: int

    @property
    def is_loopback(self) -> bool:
        """Whether only programs of this computer reach it."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host.lower() in _LOCAL_NAMES

    @property
    def is_everywhere(self) -> bool:
        """Whether it names every address of this computer, so that no browser can use it as it is."""
        try:
            return ipaddress.ip_address(self.host).is_unspecified
        except ValueError:
            return False

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_address(text: str) -> Address:
    """Return the address in ``HOST:PORT``, ``[IPv6]:PORT``, ``HOST`` or ``:PORT``. Raises ValueError."""
    match = re.fullmatch(r"(?:\[(?P<six>[0-9a-fA-F:.]+)\]|(?P<host>[A-Za-z0-9._-]*))(?::(?P<port>[0-9]{1,5}))?", text)
    default_host, _, default_port = DEFAULT.partition(":")
    if match is None or not text:
        raise ValueError(f"{text!r} is not HOST:PORT")
    port = int(match["port"] or default_port)
    if port > 65_535:
        raise ValueError(f"{text!r}: a port is at most 65535")
    host = match["six"] or match["host"] or default_host
    if match["six"]:
        try:
            ipaddress.IPv6Address(host)
        except ValueError:
            raise ValueError(f"{text!r}: no IPv6 address") from None
    return Address(host, port)
