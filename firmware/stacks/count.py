"""Deepest use of the application's stacks in a built image, from its machine code.

``make stacks BUILD=FOLDER`` reads zephyr.elf of a build for a Cortex-M: the bytes that each function takes on the stack
(what it pushes, and its own space), and which functions it calls. Calls through pointers are followed where POINTERS
names what they reach; the table says how many others are on the deepest way. Exits with 1 if a stack has less than
MARGIN left, with 2 if there is no image or no arm-none-eabi-objdump.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

FIRMWARE = Path(__file__).resolve().parents[1]
#: The part of a stack that has to stay free.
MARGIN = 0.25
#: An exception that interrupts a thread stores eight registers and an aligning word on its stack.
EXCEPTION_BYTES = 36


@dataclass(frozen=True)
class Thread:
    """A thread: the functions in which its work begins, where the size of its stack is written, the functions above
    those, and a function whose presence shows that this thread has another beginning."""

    name: str
    starts: tuple[str, ...]
    where: str
    above: tuple[str, ...] = ()
    unless: str = ""


#: Threads of the application and of Zephyr. Those that an image has not are skipped. The handlers of a work queue are
#: those that use most; the thread BT RX is another one from Zephyr 3.7 on.
THREADS: Sequence[Thread] = (
    Thread("main", ("main",), ".config:CONFIG_MAIN_STACK_SIZE"),
    Thread("board", ("run_board",), "src/board_thread.c:STACK_BYTES"),
    Thread("sender", ("run_sender",), ".config:CONFIG_PNC_SENDER_STACK_BYTES"),
    Thread("BT RX", ("rx_work_handler",), ".config:CONFIG_BT_RX_STACK_SIZE", above=("work_queue_main",)),
    Thread("BT RX", ("recv_thread",), ".config:CONFIG_BT_RX_STACK_SIZE", unless="rx_work_handler"),
    Thread("BT CTLR RX", ("recv_thread",), ".config:CONFIG_BT_CTLR_RX_STACK_SIZE"),
    Thread("BT RX pri", ("prio_recv_thread",), ".config:CONFIG_BT_CTLR_RX_PRIO_STACK_SIZE"),
    Thread("BT TX", ("hci_tx_thread",), ".config:CONFIG_BT_HCI_TX_STACK_SIZE"),
    Thread(
        "BT LW WQ",
        ("generate_dh_key", "generate_pub_key"),
        ".config:CONFIG_BT_LONG_WQ_STACK_SIZE",
        ("work_queue_main",),
    ),
    # Before 3.7 it tells of its keys as a controller would, and handles its own events.
    Thread(
        "BT LW WQ",
        ("bt_hci_evt_le_dhkey_complete", "bt_hci_evt_le_pkey_complete"),
        ".config:CONFIG_BT_LONG_WQ_STACK_SIZE",
        ("work_queue_main", "ecc_process", "bt_recv", "hci_event", "handle_event", "hci_le_meta_event"),
        unless="generate_dh_key",
    ),
    Thread(
        "sysworkq",
        ("on_beat", "delayed_store", "deferred_work", "tx_processor", "att_timeout", "smp_timeout", "db_hash_process"),
        ".config:CONFIG_SYSTEM_WORKQUEUE_STACK_SIZE",
        ("work_queue_main",),
    ),
)
_EVENTS = (
    r"hci_(disconn_complete|encrypt_\w+|hardware_error|vendor_event|le_meta_event)|le_\w+_complete"
    r"|bt_hci_le_\w+(report|complete)"
)
_SMP = (
    r"smp_(pairing_(req|rsp|confirm|random|failed)|encrypt_info|central_ident|ident_info|ident_addr_info|signing_info"
    r"|security_request|public_key|dhkey_check|keypress_notif)"
)
#: Calls through pointers: of functions whose name fits the first pattern, to those whose name fits the second.
POINTERS: Sequence[tuple[str, str]] = (
    (r"pnc_board_\w+|on_\w+|write_\w+|next_packet\S*", r"(configure|pair|pairing|reset|rssi_dbm|wake)"),
    (r"faults_report", r"board_fault"),
    # Events and data of the Bluetooth controller, down to our callbacks.
    (r"handle_event|handle_vs_event|hci_event|hci_le_meta_event|bt_hci_recv|bt_recv|rx_work_handler", _EVENTS),
    (r"hci_vendor_event", r"on_vendor_event"),
    (r"bt_l2cap_recv|l2cap_recv", r"bt_att_recv|bt_smp_recv|l2cap_recv"),
    (r"bt_smp_recv", _SMP),
    (r"bt_att_recv", r"att_(\w+_(req|rsp|cmd)|notify\w*|indicate|confirm|handle_\w+)"),
    (r"att_handle_rsp|att_\w+_rsp|bt_att_chan_req\w*", r"gatt_\w+_rsp"),
    (
        r"gatt_\w+_rsp|gatt_discover_next|gatt_sub_\w+|gatt_write_ccc\w*|bt_gatt_\w*notification",
        r"on_(attribute|subscribed|notification|mtu)",
    ),
    (r"write_cb|att_\w*write\w*", r"on_write|bt_gatt_attr_write_ccc"),
    (r"bt_gatt_attr_write_ccc|gatt_ccc_changed", r"on_subscribe"),
    (r"bt_conn_\w+|notify_\w+", r"on_(connected|disconnected|security|parameters|parameters_request|phy)"),
    (r"bt_hci_le_adv_report|le_adv_recv|\w*adv_report\w*", r"on_advertisement"),
    (r"bt_smp_\w+|smp_\w+", r"on_(paired|failed|out_of_band|pairing)"),
    # Keys that were made, in the thread that made them or, before 3.7, by an event of the controller.
    (r"generate_dh_key|bt_hci_evt_le_dhkey_complete", r"bt_smp_dhkey_ready"),
    (r"generate_pub_key|bt_hci_evt_le_pkey_complete", r"bt_smp_pkey_ready"),
    # The storage.
    (r"settings_(save_one|delete)", r"settings_nvs_save"),
    (r"settings_load_subtree\w*", r"settings_nvs_load"),
    (r"nvs_\w+", r"flash_nrf_(read|write|erase)"),
)
#: Calls that the machine code has and that do not happen: a queue is only extended by callers that allocate, and
#: advertising that is resumed tells nobody of a connection.
NEVER: Sequence[tuple[str, str]] = (
    ("queue_insert", "z_thread_aligned_alloc"),
    ("le_adv_start_add_conn", "bt_conn_set_state"),
)
#: Zephyr's first function of every thread.
_ENTRY = "z_thread_entry"
_HEAD = re.compile(r"^([0-9a-f]+) <([^>]+)>:$")
_LINE = re.compile(r"^\s*[0-9a-f]+:\t[0-9a-f ]+\t(\S+)(?:\t(.*))?$")
_TARGET = re.compile(r"\b([0-9a-f]+) <[^>+]+>")
_SPACE = re.compile(r"subw? sp, (?:sp, )?#(\d+)|str \w+, \[sp, #-(\d+)\]!")
_JUMPS = re.compile(r"^(bl|b|blx|cbz|cbnz|b(eq|ne|cs|hs|cc|lo|mi|pl|vs|vc|hi|ls|ge|lt|gt|le))(\.[nw])?$")


@dataclass
class Function:
    """A function: bytes that it takes on the stack, addresses of what it calls, and calls through pointers."""

    name: str
    bytes: int = 0
    calls: set[int] = field(default_factory=set)
    pointers: int = 0


@dataclass(frozen=True)
class Depth:
    """The deepest way down from a function: bytes, names, and calls through pointers on it that were not followed."""

    bytes: int
    way: tuple[str, ...]
    unknown: int


def functions(listing: str) -> dict[int, Function]:
    """Return the functions in objdump's listing by address."""
    found: dict[int, Function] = {}
    now: Function | None = None
    for line in listing.splitlines():
        if (head := _HEAD.match(line)) is not None:
            now = found.setdefault(int(head[1], 16), Function(head[2]))
        elif now is not None and (part := _LINE.match(line)) is not None:
            _add(now, part[1], part[2] or "")
    return found


def _add(function: Function, mnemonic: str, operands: str) -> None:
    name = mnemonic.split(".", maxsplit=1)[0]
    if name == "push" or (name in ("stmdb", "stmfd") and operands.startswith("sp!")):
        function.bytes += 4 * _registers(operands)
    elif (space := _SPACE.match(f"{name} {operands}")) is not None:
        function.bytes += int(space[1] or space[2])
    elif name in ("blx", "bx") and re.match(r"(r\d+|ip)\b", operands):
        function.pointers += 1
    elif _JUMPS.match(mnemonic) and (target := _TARGET.search(operands)) is not None:
        function.calls.add(int(target[1], 16))


def _registers(operands: str) -> int:
    count = 0
    listed = re.search(r"\{([^}]*)\}", operands)
    for part in (listed[1] if listed else "").split(","):
        first, _, last = part.strip().partition("-")
        count += int(last[1:]) - int(first[1:]) + 1 if last else 1
    return count


def follow_pointers(found: Mapping[int, Function], rules: Iterable[tuple[str, str]] = POINTERS) -> None:
    """Add the calls through pointers that the rules name."""
    for callers, callees in rules:
        reached = {address for address, function in found.items() if re.fullmatch(callees, function.name)}
        for function in found.values():
            if function.pointers and re.fullmatch(callers, function.name):
                function.calls |= reached
                function.pointers = 0


def graph(listing: str) -> dict[int, Function]:
    """Return the functions in objdump's listing by address, with the calls that the rules add and remove."""
    found = functions(listing)
    drop_calls(found)
    follow_pointers(found)
    return found


def drop_calls(found: Mapping[int, Function], rules: Iterable[tuple[str, str]] = NEVER) -> None:
    """Remove the calls that do not happen."""
    for caller, callee in rules:
        for function in found.values():
            if function.name == caller:
                function.calls -= {
                    address for address in function.calls & found.keys() if found[address].name == callee
                }


def depth(found: Mapping[int, Function], start: str) -> Depth:
    """Return the deepest way down from the function of that name. A way that comes back to itself ends there.

    Raises KeyError if there is no such function.
    """
    known: dict[int, Depth] = {}

    def down(address: int, above: frozenset[int]) -> Depth:
        if address in known:
            return known[address]
        function, deepest = found[address], Depth(0, (), 0)
        for callee in sorted((function.calls & found.keys()) - above - {address}):
            deepest = max(deepest, down(callee, above | {address}), key=lambda each: each.bytes)
        known[address] = Depth(
            function.bytes + deepest.bytes, (function.name, *deepest.way), function.pointers + deepest.unknown
        )
        return known[address]

    sys.setrecursionlimit(10_000)
    for address, function in found.items():
        if function.name == start:
            return down(address, frozenset())
    raise KeyError(start)


def stack_bytes(build: Path, where: str) -> int:
    """Return the size of a stack: an option of the build, or a constant of a source file."""
    file, name = where.split(":")
    path = build / "zephyr" / file if file.startswith(".") else FIRMWARE / file
    found = re.search(rf"{name}[ =](\d+)", path.read_text(encoding="utf-8"))
    if found is None:
        raise KeyError(f"{name} in {path}")
    return int(found[1])


def deepest_of(found: Mapping[int, Function], thread: Thread) -> Depth | None:
    """Return the deepest use of a thread's stack, with an exception; None if the image has no such thread."""
    names = {function.name for function in found.values()}
    starts = [start for start in thread.starts if start in names]
    if not starts or thread.unless in names:
        return None
    deepest = max((depth(found, start) for start in starts), key=lambda each: each.bytes)
    above = sum(function.bytes for function in found.values() if function.name in (_ENTRY, *thread.above))
    return Depth(deepest.bytes + above + EXCEPTION_BYTES, deepest.way, deepest.unknown)


def main(build: Path) -> int:
    """Print each thread's deepest use of its stack."""
    image = build / "zephyr" / "zephyr.elf"
    if not image.is_file():
        print(f"{image} is not there: `make firmware` builds it", file=sys.stderr)
        return 2
    try:
        command = ["arm-none-eabi-objdump", "-d", str(image)]
        listing = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    except FileNotFoundError:
        print("no arm-none-eabi-objdump: on Debian, apt-get install binutils-arm-none-eabi", file=sys.stderr)
        return 2
    found = graph(listing)
    full = False
    print("thread       stack   used at most   free   pointers not followed   deepest way")
    for thread in THREADS:
        deepest = deepest_of(found, thread)
        try:
            size = stack_bytes(build, thread.where)
        except KeyError:
            continue  # a thread of other releases
        if deepest is None:
            continue  # the sender of an image without Bluetooth
        free = 1 - deepest.bytes / size
        full = full or free < MARGIN
        way = " ".join(deepest.way[:6])
        print(f"{thread.name:11} {size:6}   {deepest.bytes:12}   {free:4.0%}   {deepest.unknown:21}   {way} ...")
    return int(full)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    from tests import goal

    goal.run("stacks", lambda: main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("build/firmware")))
