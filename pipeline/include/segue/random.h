/* Random numbers as a function of (seed, counter): no stream, so results do not depend on an order.
 *
 * All are words of Philox4x32-10 with the seed as its key (Salmon, Moraes, Dror and Shaw: Parallel random numbers: as
 * easy as 1, 2, 3, SC 2011), the generator of libsegue-nn, too. A stage takes its seed from segue_context_get_seed(),
 * and numbers its draws: of one seed, each counter is for one draw. Any thread may call these functions. The same
 * arguments give the same value in every version. */
#pragma once

#include <glib.h>
#include <segue/version.h>

G_BEGIN_DECLS

/** segue_philox: the block function: 128 random bits for each @counter and @key. */
SEGUE_API void segue_philox (const guint32 counter[4], const guint32 key[2], guint32 out[4]);

/** segue_random_bits: 64 bits. */
SEGUE_API guint64 segue_random_bits (guint64 seed, guint64 counter);

/** segue_random_uniform: in [0, 1), 53 bits. */
SEGUE_API double segue_random_uniform (guint64 seed, guint64 counter);

/** segue_random_between: in [low, high). */
SEGUE_API double segue_random_between (guint64 seed, guint64 counter, double low, double high);

/** segue_random_normal_pair: two independent N(0, 1), by Box and Muller. */
SEGUE_API void segue_random_normal_pair (guint64 seed, guint64 counter, double *a, double *b);

/** segue_random_hash_string: the bits whose counter is a hash of @text (FNV-1a): for an order that does not depend on
 * what else there is to be ordered. */
SEGUE_API guint64 segue_random_hash_string (guint64 seed, const char *text);

G_END_DECLS
