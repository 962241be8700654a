/* Code that is compiled twice where newer processors have wider vectors: plainly, and with those. A wheel runs on any
 * processor of its kind, so which of both is taken is decided at run time. Both give the same numbers. */
#ifndef PNC_SIMD_H
#define PNC_SIMD_H

#if defined(__x86_64__) && defined(__GNUC__) && !defined(PNC_PLAIN)
#define WITH_AVX2 __attribute__((target("avx2")))
#define IN_BOTH static inline __attribute__((always_inline))
#define HAS_AVX2 __builtin_cpu_supports("avx2")
#else
#define IN_BOTH static inline
#endif

#endif
