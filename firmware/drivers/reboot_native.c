/* Reset of a board that is a program of this computer: it executes itself again with the same arguments.
 * SPDX-License-Identifier: Apache-2.0 */
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include <zephyr/sys/reboot.h>

#include "soc.h"

#define WORDS 64
#define BYTES 4096

void sys_arch_reboot(int type)
{
	static char line[BYTES];
	char *words[WORDS + 1] = {NULL};
	FILE *file = fopen("/proc/self/cmdline", "r");
	size_t len = file != NULL ? fread(line, 1, sizeof(line) - 1, file) : 0;
	size_t count = 0;
	sigset_t none;

	ARG_UNUSED(type);
	for (size_t at = 0; at < len && count < WORDS; at++) {
		if (at == 0 || line[at - 1] == 0) {
			words[count++] = &line[at];
		}
	}
	if (file != NULL) {
		fclose(file);
	}
	run_native_tasks(_NATIVE_ON_EXIT_LEVEL);
	(void)sigemptyset(
		&none); /* the simulation blocks signals in its threads, which the new program would inherit */
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	execv("/proc/self/exe", words);
	_exit(1);
}
