/* Vector code beside scalar code. On x86-64 the hot loops are compiled twice: `_scalar` for every processor, `_avx2`
 * for processors with AVX2. The choice is made at run time, since one wheel serves all of them. On 64-bit Arm, where
 * every processor has NEON, `_neon` replaces some of them, unless its bytes are in big-endian order: the vector code
 * reads pairs of values as one. All give the same numbers. PNC_NO_SIMD leaves the vector code out; SIMD_INLINE marks
 * functions that are compiled into both. */
#ifndef PNC_SIMD_H
#define PNC_SIMD_H

#if defined(__x86_64__) && defined(__GNUC__) && !defined(PNC_NO_SIMD)
#define TARGET_AVX2 __attribute__((target("avx2")))
#define SIMD_INLINE static inline __attribute__((always_inline))
#define HAS_AVX2 __builtin_cpu_supports("avx2")
#else
#define SIMD_INLINE static inline
#endif

#if defined(__aarch64__) && defined(__ARM_NEON) && !defined(__AARCH64EB__) && !defined(PNC_NO_SIMD)
#define HAS_NEON 1
#endif

#endif
