/* Replays inputs where there is no libFuzzer: TARGET FILE... gives each file to the target; `TARGET -COUNT SIZE` gives
 * it COUNT inputs of SIZE random bytes, the same ones every time. */
#include "fuzz.h"

/* The target says with this what it did, where it is of interest. */
void fuzz_summary(void) __attribute__((weak));

static void replay(const char *path)
{
	static uint8_t buffer[1u << 20];
	FILE *file = fopen(path, "rb");
	if (file == NULL) {
		perror(path);
		exit(2);
	}
	size_t size = fread(buffer, 1, sizeof(buffer), file);
	fclose(file);
	uint8_t *data = exact_copy(buffer, size);
	(void)LLVMFuzzerTestOneInput(data, size);
	free(data);
}

static void try_random(unsigned long count, size_t size)
{
	uint32_t random = 20260101u;
	uint8_t *data = malloc(size > 0 ? size : 1u);
	ALWAYS(data != NULL);
	for (unsigned long i = 0; i < count; i++) {
		for (size_t k = 0; k < size; k++) {
			random ^= random << 13;
			random ^= random >> 17;
			random ^= random << 5;
			data[k] = (uint8_t)(random >> 9);
		}
		(void)LLVMFuzzerTestOneInput(data, size);
	}
	free(data);
}

int main(int argc, char **argv)
{
	unsigned long inputs = 0;
	if (argc == 3 && argv[1][0] == '-') {
		inputs = strtoul(argv[1] + 1, NULL, 10);
		try_random(inputs, (size_t)strtoul(argv[2], NULL, 10));
	} else {
		for (int i = 1; i < argc; i++) {
			replay(argv[i]);
			inputs++;
		}
	}
	printf("%lu inputs\n", inputs);
	if (fuzz_summary != NULL) {
		fuzz_summary();
	}
	return 0;
}
