"""The firmware with its Bluetooth host on an emulated Cortex-M3: Bumble's controller is at its third serial port.

What is emulated: every instruction of the application and of Zephyr's Bluetooth host, and the memory that they use.
What is not: the nRF's radio and its controller, the nRF's serial port, and time: every instruction takes the same.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from bumble import hci
from bumble.transport.common import StreamPacketSink, StreamPacketSource

from host.boards.zephyr import zephyr_of
from tests.ble.air import Air, Radio
from tests.bsim.emulator import QEMU, Emulator
from tests.bsim.simulation import START_S, build, missing

HERE = Path(__file__).parent / "hci"
_SOCKET = "hci"


def missing_for_emulation() -> str | None:
    """Say what the build or the emulation lacks here; None: nothing."""
    return missing() or (None if shutil.which(QEMU) else f"{QEMU} is not installed")


def build_with_bluetooth() -> Path:
    """Build the firmware for that board; returns the program."""
    new = zephyr_of(os.environ)[1] >= (4, 1)
    fragments = [HERE / "hci.conf", HERE / ("from-4.1.conf" if new else "before-4.1.conf")]
    overlay = [f"-DEXTRA_DTC_OVERLAY_FILE={HERE / 'from-4.1.overlay'}"] if new else []
    options = [f"-DPNC_HCI={';'.join(map(str, fragments))}", *overlay]
    return build(*options, name="hci", board="qemu_cortex_m3")


@asynccontextmanager
async def emulated_board(
    air: Air, folder: Path, program: Path, options: Sequence[str] = (), shift: int = 6
) -> AsyncIterator[Emulator]:
    """Run a board on a modelled air; ``folder`` is empty, ``options`` and ``shift`` are those of the emulator."""
    socket = folder / _SOCKET
    ports = ["-serial", "null", "-serial", f"unix:{socket},server=on,wait=on"]
    with Emulator(folder, program, options=[*ports, *options], shift=shift) as emulator:
        line, source = await _connect(socket)
        _Controller("emulated", host_source=source, host_sink=StreamPacketSink(line), link=air)
        try:
            yield emulator
        finally:
            line.close()


async def _connect(socket: Path) -> tuple[asyncio.WriteTransport, _Line]:
    """Connect to QEMU's end of the serial line, as soon as it listens."""
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(START_S):
        while True:
            try:
                return await loop.create_unix_connection(_Line, str(socket))
            except (FileNotFoundError, ConnectionRefusedError):
                await asyncio.sleep(0.01)


class _Line(StreamPacketSource):
    """The serial line to the controller, without the zero byte by which Zephyr's driver begins to transmit."""

    _began = False

    def data_received(self, data: bytes) -> None:
        if not self._began:
            data = data.lstrip(b"\0")
            self._began = bool(data)
        if data:
            super().data_received(data)


class _Controller(Radio):
    """A controller that also answers what the firmware asks and Bumble's lacks: data length, PHY, unknown commands."""

    #: A host that uses the commands of Bluetooth 4 gets reports of advertisements in their form.
    le_features = Radio.le_features & ~hci.LeFeatureMask.LE_EXTENDED_ADVERTISING

    def on_hci_command(  # type: ignore[override]
        self, command: hci.HCI_Command
    ) -> hci.HCI_StatusReturnParameters | None:
        status = hci.HCI_ErrorCode.UNKNOWN_HCI_COMMAND_ERROR
        if isinstance(command, hci.HCI_SyncCommand):
            return hci.HCI_StatusReturnParameters(status)
        self._send_hci_command_status(status, command.op_code)
        return None

    def on_hci_le_set_data_length_command(
        self, command: hci.HCI_LE_Set_Data_Length_Command
    ) -> hci.HCI_StatusAndConnectionHandleReturnParameters:
        """The data length is what was asked for, both ways."""
        handle, octets, time_us = command.connection_handle, command.tx_octets, command.tx_time
        self.send_hci_packet(
            hci.HCI_LE_Data_Length_Change_Event(
                connection_handle=handle,
                max_tx_octets=octets,
                max_tx_time=time_us,
                max_rx_octets=octets,
                max_rx_time=time_us,
            )
        )
        return hci.HCI_StatusAndConnectionHandleReturnParameters(hci.HCI_ErrorCode.SUCCESS, handle)

    def on_hci_le_set_phy_command(self, command: hci.HCI_LE_Set_PHY_Command) -> None:
        """The PHY is 2M, which the air has."""
        self._send_hci_command_status(hci.HCI_ErrorCode.SUCCESS, command.op_code)
        self.send_hci_packet(
            hci.HCI_LE_PHY_Update_Complete_Event(
                status=hci.HCI_ErrorCode.SUCCESS,
                connection_handle=command.connection_handle,
                tx_phy=hci.Phy.LE_2M,
                rx_phy=hci.Phy.LE_2M,
            )
        )
