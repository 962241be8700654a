#include "planes_avx2.h"
#include "planes_internal.h"
#include "planes_neon.h"

void pnc_planes_start(const struct pnc_planes_model *m, const int16_t *state, struct pnc_planes_context *c)
{
	const int32_t width = width_of(m), area = area_of(m), leads = PNC_PLANES_NEAR + m->channels;
	const int32_t sides[PNC_PLANES_SIDES] = {-1, 1, -width, width};
	c->nonzero = 0;
	for (int32_t i = 0; i < m->channels; i++) {
		const int16_t *values = state + (ptrdiff_t)i * area;
		int32_t any = 0;
		for (int32_t k = 0; k < area; k++)
			any |= values[k];
		c->nonzero |= (uint64_t)(any != 0) << i;
		c->from[PNC_PLANES_NEAR + i] = values + first_of(m);
	}
	for (int32_t i = 0; i < PNC_PLANES_LEADS; i++)
		for (int32_t k = 0; k < PNC_PLANES_SIDES; k++)
			c->from[leads + i * PNC_PLANES_SIDES + k] = c->from[PNC_PLANES_NEAR + i] + sides[k];
}

/* Which values are not zero: bit k % 64 of word k / 64 for value k. */
struct bits {
	uint64_t word[2];
};

static struct bits bits_scalar(const int16_t *values, int32_t from, int32_t count, struct bits b)
{
	for (int32_t k = from; k < count; k++)
		b.word[k / 64] |= (uint64_t)(values[k] != 0) << k % 64;
	return b;
}

#ifdef TARGET_AVX2
static TARGET_AVX2 struct bits bits_avx2(const int16_t *values, int32_t count)
{
	struct bits b = {{0, 0}};
	const __m256i zero = _mm256_setzero_si256();
	int32_t k = 0;
	for (; k + 2 * LANES <= count; k += 2 * LANES) {
		const __m256i low = _mm256_cmpeq_epi16(load(values + k), zero);
		const __m256i high = _mm256_cmpeq_epi16(load(values + k + LANES), zero);
		const __m256i both = _mm256_permute4x64_epi64(_mm256_packs_epi16(low, high), 0xD8);
		b.word[k / 64] |= (uint64_t) ~(uint32_t)_mm256_movemask_epi8(both) << k % 64;
	}
	return bits_scalar(values, k, count, b);
}
#endif

#ifdef HAS_NEON
static struct bits bits_neon(const int16_t *values, int32_t count)
{
	static const uint8_t places[16] = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
	struct bits b = {{0, 0}};
	int32_t k = 0;
	for (; k + 2 * LANES <= count; k += 2 * LANES) {
		const int16x8_t low = vld1q_s16(values + k), high = vld1q_s16(values + k + LANES);
		const uint8x16_t both = vuzp1q_u8(vreinterpretq_u8_u16(vtstq_s16(low, low)),
						  vreinterpretq_u8_u16(vtstq_s16(high, high)));
		/* Each half has eight bits; their sum is one byte. */
		const uint8x16_t bits = vandq_u8(both, vld1q_u8(places));
		const uint64_t first = vaddv_u8(vget_low_u8(bits)), second = vaddv_u8(vget_high_u8(bits));
		b.word[k / 64] |= (first | second << 8) << k % 64;
	}
	return bits_scalar(values, k, count, b);
}
#endif

static struct bits bits_of(const int16_t *values, int32_t count)
{
#ifdef TARGET_AVX2
	if (HAS_AVX2)
		return bits_avx2(values, count);
#endif
#ifdef HAS_NEON
	return bits_neon(values, count);
#else
	return bits_scalar(values, 0, count, (struct bits){{0, 0}});
#endif
}

/* Sets bits k ... k + count - 1 to the lowest ones of `bits`. */
static void set_bits(struct bits *b, int32_t k, int32_t count, uint64_t bits)
{
	bits &= count < 64 ? (UINT64_C(1) << count) - 1 : UINT64_MAX;
	b->word[k / 64] |= bits << k % 64;
	if (k % 64 + count > 64)
		b->word[k / 64 + 1] |= bits >> (64 - k % 64);
}

static int32_t lowest(uint64_t word)
{
#ifdef __GNUC__
	return __builtin_ctzll(word);
#else
	int32_t at = 0;
	while (!(word >> at & 1))
		at++;
	return at;
#endif
}

/* Lists the inputs in `b`, in pairs: with an odd number of them the last one is repeated without weight. */
static void list_terms(struct bits b, const int16_t *const *from, const int16_t *mean, const int16_t *spread,
		       struct pnc_planes_terms *t)
{
	int32_t n = 0;
	for (int32_t w = 0; w < 2; w++)
		for (uint64_t left = b.word[w]; left != 0; left &= left - 1) {
			const int32_t k = 64 * w + lowest(left);
			t->from[n] = from[k];
			t->mean[n] = mean[k];
			t->spread[n++] = spread[k];
		}
	t->count = n;
	if (n % 2 != 0) {
		t->from[n] = t->from[n - 1];
		t->mean[n] = t->spread[n] = 0;
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

void pnc_planes_sum_scalar(const struct pnc_planes_inputs *in, ptrdiff_t from, ptrdiff_t count,
			   int32_t *restrict expected, int32_t *restrict uncertain)
{
	for (ptrdiff_t i = 0; i < count; i++) {
		expected[i] = 0;
		uncertain[i] = in->base;
	}
	for (int32_t k = 0; k < in->both.count; k += 2) {
		const int16_t *a = in->both.from[k] + from, *b = in->both.from[k + 1] + from;
		const int16_t mean_a = in->both.mean[k], mean_b = in->both.mean[k + 1];
		const int16_t spread_a = in->both.spread[k], spread_b = in->both.spread[k + 1];
		for (ptrdiff_t i = 0; i < count; i++)
			expected[i] += product(mean_a, a[i]) + product(mean_b, b[i]);
		for (ptrdiff_t i = 0; i < count; i++)
			uncertain[i] += product(spread_a, size(a[i])) + product(spread_b, size(b[i]));
	}
	for (int32_t k = 0; k < in->means.count; k += 2) {
		const int16_t *a = in->means.from[k] + from, *b = in->means.from[k + 1] + from;
		const int16_t mean_a = in->means.mean[k], mean_b = in->means.mean[k + 1];
		for (ptrdiff_t i = 0; i < count; i++)
			expected[i] += product(mean_a, a[i]) + product(mean_b, b[i]);
	}
}

#ifdef TARGET_AVX2
static inline TARGET_AVX2 void store_avx2(__m256i low, __m256i high, int32_t *to)
{
	_mm256_storeu_si256((__m256i *)(void *)to, _mm256_permute2x128_si256(low, high, 0x20));
	_mm256_storeu_si256((__m256i *)(void *)(to + 8), _mm256_permute2x128_si256(low, high, 0x31));
}

/* Like pnc_planes_sum_scalar from 0 on for count >= 16. The last vectors overlap those before them if needed. */
static TARGET_AVX2 void sum_avx2(const struct pnc_planes_inputs *in, ptrdiff_t count, int32_t *expected,
				 int32_t *uncertain)
{
	for (ptrdiff_t done = 0; done < count; done += 2 * LANES) {
		const ptrdiff_t i = done + LANES <= count ? done : count - LANES;
		const ptrdiff_t j = done + 2 * LANES <= count ? done + LANES : count - LANES;
		struct sums_avx2 at_i, at_j;
		sum_twice_avx2(in, i, j, &at_i, &at_j);
		store_avx2(at_i.mean_low, at_i.mean_high, expected + i);
		store_avx2(at_i.spread_low, at_i.spread_high, uncertain + i);
		store_avx2(at_j.mean_low, at_j.mean_high, expected + j);
		store_avx2(at_j.spread_low, at_j.spread_high, uncertain + j);
	}
}
#endif

#ifdef HAS_NEON
/* Like pnc_planes_sum_scalar from 0 on for count >= 8. */
static void sum_all_neon(const struct pnc_planes_inputs *in, ptrdiff_t count, int32_t *expected, int32_t *uncertain)
{
	for (ptrdiff_t done = 0; done < count; done += VECTORS * LANES) {
		ptrdiff_t at[VECTORS];
		struct sums_neon sums[VECTORS];
		place_neon(done, count, at);
		sum_neon(in, at, sums);
		for (ptrdiff_t k = 0; k < VECTORS; k++) {
			vst1q_s32(expected + at[k], sums[k].mean_low);
			vst1q_s32(expected + at[k] + 4, sums[k].mean_high);
			vst1q_s32(uncertain + at[k], sums[k].spread_low);
			vst1q_s32(uncertain + at[k] + 4, sums[k].spread_high);
		}
	}
}
#endif

static void sum_all(const struct pnc_planes_inputs *in, int32_t count, int32_t *expected, int32_t *uncertain)
{
#ifdef TARGET_AVX2
	if (count >= LANES && HAS_AVX2) {
		sum_avx2(in, count, expected, uncertain);
		return;
	}
#endif
#ifdef HAS_NEON
	if (count >= LANES) {
		sum_all_neon(in, count, expected, uncertain);
		return;
	}
#endif
	pnc_planes_sum_scalar(in, 0, count, expected, uncertain);
}

void pnc_planes_find_inputs(const struct pnc_planes_model *m, int32_t index, struct pnc_planes_context *c,
			    const int16_t *refined, struct pnc_planes_inputs *in)
{
	const int32_t width = width_of(m), count = pnc_planes_inputs(m);
	const int32_t near[PNC_PLANES_NEAR] = {-1, -width - 1, -width, -width + 1, 1, width - 1, width, width + 1};
	const int32_t channel = m->order[2 * index], leads = PNC_PLANES_NEAR + m->channels;
	const int16_t *mean = m->mean + (ptrdiff_t)index * count, *spread = m->spread + (ptrdiff_t)index * count;
	const int16_t *own = c->from[PNC_PLANES_NEAR + channel];
	const uint64_t others = c->nonzero & ~(UINT64_C(1) << channel);
	for (int32_t k = 0; k < PNC_PLANES_NEAR; k++)
		c->from[k] = (k < PASSED && refined != NULL ? refined + first_of(m) : own) + near[k];
	/* The inputs that are not zero everywhere. */
	struct bits live = {{0, 0}};
	set_bits(&live, 0, PASSED, refined != NULL ? UINT64_MAX : 0);
	set_bits(&live, PASSED, PNC_PLANES_NEAR - PASSED, c->nonzero >> channel & 1 ? UINT64_MAX : 0);
	set_bits(&live, PNC_PLANES_NEAR, m->channels, others);
	for (int32_t i = 0; i < PNC_PLANES_LEADS; i++)
		set_bits(&live, leads + i * PNC_PLANES_SIDES, PNC_PLANES_SIDES, others >> i & 1 ? UINT64_MAX : 0);
	const struct bits has_mean = bits_of(mean, count), has_spread = bits_of(spread, count);
	struct bits both, means;
	for (int32_t w = 0; w < 2; w++) {
		both.word[w] = live.word[w] & has_spread.word[w];
		means.word[w] = live.word[w] & has_mean.word[w] & ~has_spread.word[w];
	}
	list_terms(both, c->from, mean, spread, &in->both);
	list_terms(means, c->from, mean, spread, &in->means);
	in->base = m->base[index];
}

void pnc_planes_begin_pass(const struct pnc_planes_model *m, int32_t index, int16_t *state,
			   struct pnc_planes_context *c, struct pnc_planes_pass *p)
{
	const int32_t count = pnc_planes_inputs(m), first = first_of(m);
	p->index = index;
	p->channel = m->order[2 * index];
	p->plane = m->order[2 * index + 1];
	p->mean = m->mean + (ptrdiff_t)index * count;
	p->spread = m->spread + (ptrdiff_t)index * count;
	p->own = state + (ptrdiff_t)p->channel * area_of(m);
	struct pnc_planes_inputs in;
	pnc_planes_find_inputs(m, index, c, NULL, &in);
	sum_all(&in, end_of(m) - first, p->expected + first, p->uncertain + first);
}
