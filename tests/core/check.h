/* Tests as claims: TEST(test_something_holds) { CHECK(...); }. A program runs the test it is given by name, or all of
 * them; a claim that fails is printed and ends that test. */
#ifndef PNC_CHECK_H
#define PNC_CHECK_H

#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

struct check_test {
	const char *name;
	void (*run)(void);
	struct check_test *next;
};

static struct check_test *check_tests;
static jmp_buf check_failed;

#define TEST(claim)                                                                                                    \
	static void claim(void);                                                                                       \
	static struct check_test check_of_##claim = {#claim, claim, NULL};                                             \
	__attribute__((constructor)) static void check_add_##claim(void)                                               \
	{                                                                                                              \
		check_of_##claim.next = check_tests;                                                                   \
		check_tests = &check_of_##claim;                                                                       \
	}                                                                                                              \
	static void claim(void)

#define CHECK(condition)                                                                                               \
	do {                                                                                                           \
		if (!(condition)) {                                                                                    \
			printf("%s:%d: %s does not hold\n", __FILE__, __LINE__, #condition);                           \
			longjmp(check_failed, 1);                                                                      \
		}                                                                                                      \
	} while (0)

#define CHECK_EQ(is, should)                                                                                           \
	do {                                                                                                           \
		long long check_is = (long long)(is);                                                                  \
		long long check_should = (long long)(should);                                                          \
		if (check_is != check_should) {                                                                        \
			printf("%s:%d: %s is %lld, not %lld\n", __FILE__, __LINE__, #is, check_is, check_should);      \
			longjmp(check_failed, 1);                                                                      \
		}                                                                                                      \
	} while (0)

#define CHECK_BYTES(is, is_len, should, should_len)                                                                    \
	do {                                                                                                           \
		CHECK_EQ(is_len, should_len);                                                                          \
		CHECK(memcmp(is, should, should_len) == 0);                                                            \
	} while (0)

/* Deterministic numbers: xorshift32 (G. Marsaglia, 2003). */
static inline uint32_t check_random(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

static inline bool check_passes(const struct check_test *t)
{
	if (setjmp(check_failed) != 0) {
		printf("%s failed\n", t->name);
		return false;
	}
	t->run();
	printf("%s holds\n", t->name);
	return true;
}

int main(int argc, char **argv)
{
	int found = 0;
	int failed = 0;
	for (const struct check_test *t = check_tests; t != NULL; t = t->next) {
		if (argc == 1 || strcmp(argv[1], t->name) == 0) {
			found++;
			failed += !check_passes(t);
		}
	}
	if (found == 0) {
		printf("no such test\n");
	}
	return failed > 0 || found == 0;
}

#endif
