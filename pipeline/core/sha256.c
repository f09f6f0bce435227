/* SHA-256 (FIPS 180-4): x86 SHA extensions where they are, GChecksum elsewhere. */
#include "sha256.h"

#include <string.h>

#define BLOCK 64

struct _SegueSha256 {
  GChecksum *portable; /* NULL: the fields below */
  guint32 state[8];
  guint8 rest[BLOCK];
  gsize n_rest;
  guint64 length; /* bytes so far */
};

#if defined(__x86_64__) && defined(__GNUC__)

#include <cpuid.h>
#include <immintrin.h>

static const guint32 round_constants[64] __attribute__ ((aligned (16))) = {
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
  0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
  0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
  0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
  0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
  0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
  0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
  0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static gboolean
have_instructions (void)
{
  guint a, b, c, d;
  if (!__get_cpuid (1, &a, &b, &c, &d) || !(c & bit_SSSE3) || !(c & bit_SSE4_1))
    return FALSE;
  return __get_cpuid_count (7, 0, &a, &b, &c, &d) && (b & (1u << 29)) != 0;
}

/* The instructions keep the eight words of the state as (A B E F) and (C D G H), and do two rounds
 * at a time; four words of the message schedule are one register. */
__attribute__ ((target ("sha,sse4.1,ssse3"))) static void
compress (guint32 state[8], const guint8 *data, gsize n_blocks)
{
  const __m128i swap = _mm_set_epi64x (0x0c0d0e0f08090a0b, 0x0405060700010203);
  __m128i dcba = _mm_loadu_si128 ((const __m128i *) state);
  __m128i hgfe = _mm_loadu_si128 ((const __m128i *) (state + 4));
  __m128i cdab = _mm_shuffle_epi32 (dcba, 0xb1), efgh = _mm_shuffle_epi32 (hgfe, 0x1b);
  __m128i abef = _mm_alignr_epi8 (cdab, efgh, 8), cdgh = _mm_blend_epi16 (efgh, cdab, 0xf0);

  for (; n_blocks > 0; n_blocks--, data += BLOCK) {
    const __m128i abef_before = abef, cdgh_before = cdgh;
    __m128i w[4];
    for (guint i = 0; i < 4; i++)
      w[i] = _mm_shuffle_epi8 (_mm_loadu_si128 ((const __m128i *) data + i), swap);
#pragma GCC unroll 16
    for (guint i = 0; i < 16; i++) {
      __m128i *now = &w[i % 4];
      const __m128i constants = _mm_load_si128 ((const __m128i *) round_constants + i);
      const __m128i message = _mm_add_epi32 (*now, constants);
      cdgh = _mm_sha256rnds2_epu32 (cdgh, abef, message);
      abef = _mm_sha256rnds2_epu32 (abef, cdgh, _mm_shuffle_epi32 (message, 0x0e));
      if (i < 12) {
        const __m128i last = w[(i + 3) % 4];
        const __m128i middle = _mm_alignr_epi8 (last, w[(i + 2) % 4], 4);
        const __m128i sum = _mm_add_epi32 (_mm_sha256msg1_epu32 (*now, w[(i + 1) % 4]), middle);
        *now = _mm_sha256msg2_epu32 (sum, last);
      }
    }
    abef = _mm_add_epi32 (abef, abef_before);
    cdgh = _mm_add_epi32 (cdgh, cdgh_before);
  }

  const __m128i feba = _mm_shuffle_epi32 (abef, 0x1b), dchg = _mm_shuffle_epi32 (cdgh, 0xb1);
  _mm_storeu_si128 ((__m128i *) state, _mm_blend_epi16 (feba, dchg, 0xf0));
  _mm_storeu_si128 ((__m128i *) (state + 4), _mm_alignr_epi8 (dchg, feba, 8));
}

#else

static gboolean
have_instructions (void)
{
  return FALSE;
}

static void
compress (guint32 state[8], const guint8 *data, gsize n_blocks)
{
  g_assert_not_reached ();
}

#endif

SegueSha256 *
segue_sha256_new_portable (void)
{
  SegueSha256 *sha = g_new0 (SegueSha256, 1);
  sha->portable = g_checksum_new (G_CHECKSUM_SHA256);
  return sha;
}

SegueSha256 *
segue_sha256_new (void)
{
  static const guint32 initial[8] = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                      0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19 };
  if (!have_instructions ())
    return segue_sha256_new_portable ();
  SegueSha256 *sha = g_new0 (SegueSha256, 1);
  memcpy (sha->state, initial, sizeof initial);
  return sha;
}

void
segue_sha256_free (SegueSha256 *sha)
{
  if (!sha)
    return;
  g_clear_pointer (&sha->portable, g_checksum_free);
  g_free (sha);
}

void
segue_sha256_update (SegueSha256 *sha, const void *data, gsize length)
{
  const guint8 *at = data;
  if (sha->portable) {
    for (; length > 0;) {
      gsize n = MIN (length, (gsize) 1 << 30);
      g_checksum_update (sha->portable, at, (gssize) n);
      at += n;
      length -= n;
    }
    return;
  }
  sha->length += length;
  if (sha->n_rest > 0) {
    gsize n = MIN (length, BLOCK - sha->n_rest);
    memcpy (sha->rest + sha->n_rest, at, n);
    sha->n_rest += n;
    at += n;
    length -= n;
    if (sha->n_rest < BLOCK)
      return;
    compress (sha->state, sha->rest, 1);
    sha->n_rest = 0;
  }
  compress (sha->state, at, length / BLOCK);
  sha->n_rest = length % BLOCK;
  if (sha->n_rest > 0)
    memcpy (sha->rest, at + length - sha->n_rest, sha->n_rest);
}

void
segue_sha256_finish (SegueSha256 *sha, guint8 digest[SEGUE_SHA256_SIZE])
{
  if (sha->portable) {
    gsize size = SEGUE_SHA256_SIZE;
    g_checksum_get_digest (sha->portable, digest, &size);
    return;
  }
  /* A one bit, zeros, and the length in bits in the last eight bytes of a block. */
  guint8 end[2 * BLOCK] = { 0 };
  gsize n = sha->n_rest + 9 <= BLOCK ? BLOCK : 2 * BLOCK;
  memcpy (end, sha->rest, sha->n_rest);
  end[sha->n_rest] = 0x80;
  guint64 bits = GUINT64_TO_BE (sha->length * 8);
  memcpy (end + n - 8, &bits, 8);
  compress (sha->state, end, n / BLOCK);
  for (guint i = 0; i < 8; i++) {
    guint32 word = GUINT32_TO_BE (sha->state[i]);
    memcpy (digest + 4 * i, &word, 4);
  }
}

char *
segue_sha256_finish_hex (SegueSha256 *sha)
{
  static const char digits[] = "0123456789abcdef";
  guint8 digest[SEGUE_SHA256_SIZE];
  char *text = g_new (char, 2 * SEGUE_SHA256_SIZE + 1);
  segue_sha256_finish (sha, digest);
  for (guint i = 0; i < SEGUE_SHA256_SIZE; i++) {
    text[2 * i] = digits[digest[i] >> 4];
    text[2 * i + 1] = digits[digest[i] & 15];
  }
  text[2 * SEGUE_SHA256_SIZE] = '\0';
  return text;
}
