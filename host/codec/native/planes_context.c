#include "planes_internal.h"

#include <string.h>

/* Inputs with their weights, used in pairs. An odd `count` is followed by one input of weight zero. */
struct terms {
	int32_t count;
	const int16_t *from[MAX_INPUTS + 1];
	int16_t mean[MAX_INPUTS + 1], spread[MAX_INPUTS + 1];
};

/* Inputs with a weight in both sums, and inputs with a weight in the expected value only. */
struct inputs {
	struct terms both, means;
};

void pnc_planes_find_nonzero(const struct pnc_planes_model *m, const int16_t *state, uint8_t *nonzero)
{
	const int32_t area = area_of(m);
	for (int32_t c = 0; c < m->channels; c++, state += area) {
		int32_t any = 0;
		for (int32_t i = 0; i < area; i++)
			any |= state[i];
		nonzero[c] = any != 0;
	}
}

static void add_term(struct terms *t, const int16_t *from, int16_t mean, int16_t spread)
{
	t->from[t->count] = from;
	t->mean[t->count] = mean;
	t->spread[t->count++] = spread;
}

/* Branch-free, because zero weights are unpredictable. An input that is not counted is overwritten by the next one. */
static void add_input(struct inputs *to, const int16_t *from, int16_t mean, int16_t spread)
{
	struct terms *both = &to->both, *means = &to->means;
	const int32_t has_spread = spread != 0, has_mean = mean != 0;
	both->from[both->count] = means->from[means->count] = from;
	both->mean[both->count] = means->mean[means->count] = mean;
	both->spread[both->count] = spread;
	means->spread[means->count] = 0;
	both->count += has_spread;
	means->count += has_mean & ~has_spread;
}

static void make_even(struct terms *t)
{
	if (t->count % 2 != 0) {
		add_term(t, t->from[t->count - 1], 0, 0);
		t->count--;
	}
}

/* Bounds: |value| < 4 * 128 = 2^9, |weight| <= 2^13, at most 92 inputs. So sums stay below 2^29, and below 2^30 with
 * the base. */

/* Both factors have 16 bits: processors have wide vector instructions for such products. */
static inline int32_t product(int16_t weight, int16_t value)
{
	return (int32_t)weight * value;
}

static inline int16_t size(int16_t value)
{
	return (int16_t)(value < 0 ? -value : value);
}

static void add_scalar(const struct inputs *in, int32_t count, int32_t base, int32_t *restrict expected,
		       int32_t *restrict uncertain)
{
	for (int32_t i = 0; i < count; i++) {
		expected[i] = 0;
		uncertain[i] = base;
	}
	for (int32_t k = 0; k < in->both.count; k += 2) {
		const int16_t *a = in->both.from[k], *b = in->both.from[k + 1];
		const int16_t mean_a = in->both.mean[k], mean_b = in->both.mean[k + 1];
		const int16_t spread_a = in->both.spread[k], spread_b = in->both.spread[k + 1];
		for (int32_t i = 0; i < count; i++)
			expected[i] += product(mean_a, a[i]) + product(mean_b, b[i]);
		for (int32_t i = 0; i < count; i++)
			uncertain[i] += product(spread_a, size(a[i])) + product(spread_b, size(b[i]));
	}
	for (int32_t k = 0; k < in->means.count; k += 2) {
		const int16_t *a = in->means.from[k], *b = in->means.from[k + 1];
		const int16_t mean_a = in->means.mean[k], mean_b = in->means.mean[k + 1];
		for (int32_t i = 0; i < count; i++)
			expected[i] += product(mean_a, a[i]) + product(mean_b, b[i]);
	}
}

#ifdef TARGET_AVX2
static inline TARGET_AVX2 __m256i both_weights(const int16_t *pair)
{
	int32_t word;
	memcpy(&word, pair, sizeof(word));
	return _mm256_set1_epi32(word);
}

static inline TARGET_AVX2 void store(int32_t *to, __m256i low, __m256i high)
{
	_mm256_storeu_si256((__m256i *)(void *)to, _mm256_permute2x128_si256(low, high, 0x20));
	_mm256_storeu_si256((__m256i *)(void *)(to + 8), _mm256_permute2x128_si256(low, high, 0x31));
}

/* Like add_scalar for count >= 16: sixteen positions at a time. The last vector overlaps the one before it if needed.
 */
static TARGET_AVX2 void add_avx2(const struct inputs *in, int32_t count, int32_t base, int32_t *expected,
				 int32_t *uncertain)
{
	for (int32_t done = 0; done < count; done += LANES) {
		const int32_t i = done + LANES <= count ? done : count - LANES;
		__m256i e_low = _mm256_setzero_si256(), e_high = e_low;
		__m256i u_low = _mm256_set1_epi32(base), u_high = u_low;
		for (int32_t k = 0; k < in->both.count; k += 2) {
			const __m256i a = load(in->both.from[k] + i), b = load(in->both.from[k + 1] + i);
			const __m256i mean = both_weights(in->both.mean + k),
				      spread = both_weights(in->both.spread + k);
			const __m256i low = _mm256_unpacklo_epi16(a, b), high = _mm256_unpackhi_epi16(a, b);
			e_low = _mm256_add_epi32(e_low, _mm256_madd_epi16(low, mean));
			e_high = _mm256_add_epi32(e_high, _mm256_madd_epi16(high, mean));
			u_low = _mm256_add_epi32(u_low, _mm256_madd_epi16(_mm256_abs_epi16(low), spread));
			u_high = _mm256_add_epi32(u_high, _mm256_madd_epi16(_mm256_abs_epi16(high), spread));
		}
		for (int32_t k = 0; k < in->means.count; k += 2) {
			const __m256i a = load(in->means.from[k] + i), b = load(in->means.from[k + 1] + i);
			const __m256i mean = both_weights(in->means.mean + k);
			e_low = _mm256_add_epi32(e_low, _mm256_madd_epi16(_mm256_unpacklo_epi16(a, b), mean));
			e_high = _mm256_add_epi32(e_high, _mm256_madd_epi16(_mm256_unpackhi_epi16(a, b), mean));
		}
		store(expected + i, e_low, e_high);
		store(uncertain + i, u_low, u_high);
	}
}
#endif

void pnc_planes_begin_pass(const struct pnc_planes_model *m, int32_t index, int16_t *state, const uint8_t *nonzero,
			   const int16_t *refined, struct pnc_planes_pass *p)
{
	const int32_t width = width_of(m), area = area_of(m), count = pnc_planes_inputs(m);
	const int32_t first = first_of(m), places = end_of(m) - first;
	const int32_t near[PNC_PLANES_NEAR] = {-1, -width - 1, -width, -width + 1, 1, width - 1, width, width + 1};
	const int32_t sides[PNC_PLANES_SIDES] = {-1, 1, -width, width};
	p->index = index;
	p->channel = m->order[2 * index];
	p->plane = m->order[2 * index + 1];
	p->mean = m->mean + (ptrdiff_t)index * count;
	p->spread = m->spread + (ptrdiff_t)index * count;
	p->own = state + (ptrdiff_t)p->channel * area;
	struct inputs in;
	in.both.count = in.means.count = 0;
	int32_t k = 0;
	for (; k < PASSED; k++)
		if (refined != NULL)
			add_input(&in, refined + first + near[k], p->mean[k], p->spread[k]);
	for (; k < PNC_PLANES_NEAR; k++)
		if (nonzero[p->channel])
			add_input(&in, p->own + first + near[k], p->mean[k], p->spread[k]);
	for (int32_t c = 0; c < m->channels; c++, k++)
		if (c != p->channel && nonzero[c])
			add_input(&in, state + (ptrdiff_t)c * area + first, p->mean[k], p->spread[k]);
	for (int32_t c = 0; c < PNC_PLANES_LEADS; c++)
		for (int32_t s = 0; s < PNC_PLANES_SIDES; s++, k++)
			if (c != p->channel && nonzero[c])
				add_input(&in, state + (ptrdiff_t)c * area + first + sides[s], p->mean[k],
					  p->spread[k]);
	make_even(&in.both);
	make_even(&in.means);
#ifdef TARGET_AVX2
	if (places >= LANES && HAS_AVX2) {
		add_avx2(&in, places, m->base[index], p->expected + first, p->uncertain + first);
		return;
	}
#endif
	add_scalar(&in, places, m->base[index], p->expected + first, p->uncertain + first);
}
