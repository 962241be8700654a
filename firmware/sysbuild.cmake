# SPDX-License-Identifier: Apache-2.0
# Images beside the firmware: the controller for a chip whose radio has a processor of its own. Kconfig.sysbuild and
# sysbuild/ have what concerns the bootloader.
if("${BOARD_QUALIFIERS}" MATCHES "/nrf5340/cpuapp")
	string(REPLACE "cpuapp" "cpunet" NETCORE_BOARD "${BOARD}${BOARD_QUALIFIERS}")
	ExternalZephyrProject_Add(
		APPLICATION netcore
		SOURCE_DIR ${APP_DIR}/netcore
		BOARD ${NETCORE_BOARD}
	)
endif()
