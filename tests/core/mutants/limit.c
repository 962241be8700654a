/* limit MILLISECONDS PROGRAM ...: run a program, which is killed after so much CPU time. */
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	if (argc < 3) {
		return 2;
	}
	const long ms = strtol(argv[1], NULL, 10);
	const struct itimerval timer = {.it_value = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000}};
	const struct rlimit no_core = {0};
	setrlimit(RLIMIT_CORE, &no_core);
	setitimer(ITIMER_PROF, &timer, NULL); /* stays when the program takes this one's place */
	execv(argv[2], argv + 2);
	return 2;
}
