"""What each test needs beyond computing for a moment, by its path; ``--fast`` leaves out everything that is listed."""

from __future__ import annotations

from fnmatch import fnmatch

MARKERS = {
    "realtime": "waits for the clock, or runs programs that do; may fail on a machine that is very busy",
    "pty": "opens pseudo-terminals",
    "torch": "imports PyTorch (extra pnc-link[train])",
    "compiler": "compiles C",
    "slow": "computes for seconds",
    "zephyr": "needs Zephyr, and BabbleSim or QEMU",
}

#: Markers by path below tests/, as a pattern of fnmatch; after "::" by the test's name. All lines that match count.
#: A file with markers is not even imported with ``--fast``.
TABLE: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("bsim/*", ("realtime", "zephyr")),
    # the link in real time, on Bumble's Bluetooth and on virtual boards
    ("hil/*", ("realtime",)),
    ("ble/*", ("realtime",)),
    ("sim/test_realtime.py", ("realtime", "pty")),
    ("sim/test_server_port.py", ("realtime", "pty")),
    ("sim/test_in_memory.py", ("realtime",)),
    ("transport/test_serial_port.py", ("realtime", "pty")),
    ("transport/test_driver.py", ("realtime",)),
    ("devices/test_board_transport.py::test_a_server_serves_again_*", ("realtime", "pty")),
    ("devices/test_client_pause.py", ("realtime",)),
    # programs in their own processes
    ("commands/*", ("realtime", "pty")),
    ("boards/test_on_virtual_boards.py", ("realtime", "pty")),
    ("boards/test_hil_options.py", ("realtime", "pty")),
    ("boards/test_mcuboot.py", ("realtime", "pty")),
    ("boards/test_make_firmware.py", ("slow",)),
    ("boards/test_gateway.py", ("slow",)),
    ("boards/test_update.py", ("slow",)),
    ("test_print_queue.py", ("realtime",)),
    ("test_workspace.py", ("slow",)),
    ("docs/test_commands.py::test_a_command_runs*", ("realtime", "slow")),
    ("docs/test_commands.py::test_a_command_that_is_not_run_could_be*", ("slow",)),
    ("docs/test_commands.py::test_a_program_runs*", ("slow",)),
    ("docs/test_how_it_works.py", ("slow",)),
    ("docs/test_commands.py::test_a_server_serves*", ("realtime",)),
    ("docs/test_commands.py::test_two_terminals", ("realtime", "pty")),
    ("bench/*", ("realtime", "slow")),
    ("web/test_page.py", ("realtime",)),
    ("web/test_browser.py", ("realtime", "pty", "slow")),
    ("test_demo.py", ("realtime", "slow")),
    # the public package: its examples run virtual boards; its archives are built
    ("api/test_examples.py", ("realtime", "pty", "slow")),
    ("api/test_application_examples.py", ("realtime", "pty", "slow")),
    ("api/test_notebook.py", ("slow",)),
    ("api/test_package.py", ("compiler", "slow", "realtime", "pty")),
    ("api/test_other_languages.py", ("realtime", "pty", "slow")),
    ("api/test_container.py", ("compiler", "slow", "realtime")),
    ("camera/test_implausible.py", ("realtime",)),
    ("camera/test_live_camera.py", ("realtime",)),
    ("camera/test_sources.py", ("realtime", "pty")),
    ("camera/test_send_picture.py", ("realtime", "pty")),
    ("camera/test_stream.py", ("realtime", "pty")),
    ("edge/test_server.py", ("realtime",)),
    ("edge/test_answering.py", ("realtime",)),
    ("edge/test_saving.py", ("realtime",)),
    ("edge/test_overloaded_link.py", ("slow",)),
    ("edge/test_onnx_size.py::test_a_file_that_wants_*", ("slow",)),
    ("edge/test_sinks.py", ("realtime",)),
    ("edge/test_workers.py", ("realtime",)),
    ("edge/test_archive.py::test_programs_that_save_*", ("slow",)),
    ("cli/test_notices.py::test_the_count_of_a_flood_*", ("realtime",)),
    ("edge/test_service_manager.py", ("realtime", "pty")),
    # C
    ("core/*", ("compiler",)),
    ("core/test_explore.py", ("slow",)),
    ("core/test_proof.py", ("slow",)),
    ("core/test_cycles.py", ("slow",)),
    ("codec/test_native.py", ("compiler",)),
    ("codec/test_claims.py", ("compiler",)),
    ("fuzz/*", ("compiler", "slow")),
    ("test_coverage.py", ("compiler", "slow")),
    ("codec/test_processors.py", ("compiler", "slow")),
    ("codec/test_arm_instructions.py", ("compiler", "slow")),
    # networks
    ("train/*", ("torch", "slow")),
    ("reference/test_codec.py", ("torch",)),
    ("reference/test_efficientnet.py", ("torch",)),
    ("reference/test_torch_file.py", ("torch",)),
    ("reference/test_command.py", ("torch",)),
    ("reference/test_file.py", ("torch",)),
    ("reference/test_onnx_encoders.py", ("torch",)),
    ("reference/test_published.py", ("torch",)),
    ("evaluate/test_pnc_reference.py", ("torch",)),
    # what computes for long
    ("evaluate/test_evaluate*.py", ("slow",)),
    ("evaluate/test_several_codecs.py", ("slow",)),
    ("preview/*", ("slow",)),
    ("codec/test_decoder.py::test_every_prefix_length_decodes_*", ("slow",)),
    ("codec/test_bitstream.py::test_flipped_bits_*", ("slow",)),
    ("codec/test_packet_sizes.py::test_shorter_packets_*", ("slow",)),
    ("codec/test_bitstream.py::test_more_bytes_err_less_on_average", ("slow",)),
    ("sim/test_any_world.py", ("slow",)),
    ("faults/*", ("slow",)),
    ("system/*", ("slow",)),
    ("test_goal.py::test_nobody_reads*", ("slow",)),
    ("sim/test_lying_ends.py", ("slow",)),
    ("link/test_hostile_end.py", ("slow",)),
    ("sim/test_core_queue.py::*_of_the_naive_model", ("slow",)),
    ("sim/test_radio_goodput.py", ("slow",)),
    ("sim/test_noise.py::test_at_1e_4_bit_errors_*", ("slow",)),
    ("sim/test_order_and_expiry.py::test_on_a_saturated_link_*", ("slow",)),
)


def markers_of(path: str, name: str | None = None) -> set[str]:
    """Return the markers of the test ``name`` in the file ``path`` below tests/; without a name, of the whole file."""
    found: set[str] = set()
    for pattern, markers in TABLE:
        file, _, test = pattern.partition("::")
        if fnmatch(path, file) and (not test or (name is not None and fnmatch(name, test))):
            found.update(markers)
    return found
