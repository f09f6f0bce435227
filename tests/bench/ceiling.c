/* ceiling: the maximum number of operations per second of the processor, as a reference for shares: hand-written
 * dot products in registers, on all threads at once; the best of several bursts. A multiplication and an addition
 * are two operations.
 *
 *   ceiling [--threads N] [--repeat N | --turns]
 *
 * Prints "ready", for each turn an object of Gop/s by number format, and at the end the parameters of the
 * measurement. Formats without processor instructions are omitted. */
#include <glib.h>
#include <stdio.h>
#include <string.h>

#define BURSTS        6
#define BURST_SECONDS 0.04
/* Independent sums, more than a pipeline executes at once. */
#define SUMS 12

/* One way to compute in one format: runs @rounds of its loop and returns the operations done. */
typedef struct {
  const char *format;
  const char *instruction;
  gboolean (*usable) (void);
  double (*run) (gsize rounds);
} Kernel;

#if defined(__x86_64__)
#include <immintrin.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The compiler must neither detect that sums are equal, nor omit one. */
#define KEEP(value) __asm__ volatile("" : "+v"(value))
#define FOR_SUMS    _Pragma ("GCC unroll 12") for (int i = 0; i < SUMS; i++)

/* A loop with SUMS registers that each round adds a product to. */
#define VECTOR_LOOP(name, target_text, type, zero, factor, add, operations)                        \
  __attribute__ ((target (target_text))) static double name (gsize rounds)                         \
  {                                                                                                \
    type sums[SUMS], a = factor, b = factor;                                                       \
    FOR_SUMS                                                                                       \
    {                                                                                              \
      sums[i] = zero;                                                                              \
      KEEP (sums[i]);                                                                              \
    }                                                                                              \
    for (gsize round = 0; round < rounds; round++) {                                               \
      FOR_SUMS sums[i] = add;                                                                      \
    }                                                                                              \
    FOR_SUMS KEEP (sums[i]);                                                                       \
    return (double) rounds * SUMS * (operations);                                                  \
  }

VECTOR_LOOP (float32_avx2, "avx2,fma", __m256, _mm256_setzero_ps (), _mm256_set1_ps (0.5f),
             _mm256_fmadd_ps (a, b, sums[i]), 8 * 2)
VECTOR_LOOP (float32_avx512, "avx512f", __m512, _mm512_setzero_ps (), _mm512_set1_ps (0.5f),
             _mm512_fmadd_ps (a, b, sums[i]), 16 * 2)
VECTOR_LOOP (bfloat16_avx512, "avx512f,avx512bf16", __m512, _mm512_setzero_ps (),
             _mm512_set1_ps (0.5f), _mm512_dpbf16_ps (sums[i], (__m512bh) a, (__m512bh) b), 32 * 2)
VECTOR_LOOP (int8_vnni, "avx512f,avx512vnni", __m512i, _mm512_setzero_si512 (),
             _mm512_set1_epi8 (1), _mm512_dpbusd_epi32 (sums[i], a, b), 64 * 2)

static gboolean
has_avx2 (void)
{
  return __builtin_cpu_supports ("avx2") && __builtin_cpu_supports ("fma");
}

static gboolean
has_avx512 (void)
{
  return __builtin_cpu_supports ("avx512f") != 0;
}

static gboolean
has_avx512_bf16 (void)
{
  return __builtin_cpu_supports ("avx512bf16") != 0;
}

static gboolean
has_vnni (void)
{
  return __builtin_cpu_supports ("avx512vnni") != 0;
}

/* Matrices of 16 rows of 64 bytes: four sums, two factors. */
#define ARCH_REQ_XCOMP_PERM 0x1023
#define XFEATURE_XTILEDATA  18
#define TILE_SUMS           4

typedef struct {
  guint8 palette, start_row, reserved[14];
  guint16 row_bytes[16];
  guint8 rows[16];
} TileConfig;

/* Linux grants the tiles on request. */
static gboolean
has_tiles (void)
{
  return syscall (SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA) == 0;
}

static gboolean
has_amx_bf16 (void)
{
  return __builtin_cpu_supports ("amx-bf16") && has_tiles ();
}

static gboolean
has_amx_int8 (void)
{
  return __builtin_cpu_supports ("amx-int8") && has_tiles ();
}

__attribute__ ((target ("amx-tile"))) static void
set_up_tiles (void)
{
  TileConfig config = { .palette = 1 };
  for (int i = 0; i < 6; i++) {
    config.row_bytes[i] = 64;
    config.rows[i] = 16;
  }
  _tile_loadconfig (&config);
  _tile_zero (0);
  _tile_zero (1);
  _tile_zero (2);
  _tile_zero (3);
  _tile_zero (4);
  _tile_zero (5);
}

__attribute__ ((target ("amx-tile,amx-bf16"))) static double
bfloat16_amx (gsize rounds)
{
  set_up_tiles ();
  for (gsize round = 0; round < rounds; round++) {
    _tile_dpbf16ps (0, 4, 5);
    _tile_dpbf16ps (1, 4, 5);
    _tile_dpbf16ps (2, 4, 5);
    _tile_dpbf16ps (3, 4, 5);
  }
  _tile_release ();
  return (double) rounds * TILE_SUMS * 16 * 16 * 32 * 2;
}

__attribute__ ((target ("amx-tile,amx-int8"))) static double
int8_amx (gsize rounds)
{
  set_up_tiles ();
  for (gsize round = 0; round < rounds; round++) {
    _tile_dpbusd (0, 4, 5);
    _tile_dpbusd (1, 4, 5);
    _tile_dpbusd (2, 4, 5);
    _tile_dpbusd (3, 4, 5);
  }
  _tile_release ();
  return (double) rounds * TILE_SUMS * 16 * 16 * 64 * 2;
}

/* For each format the first usable one. */
static const Kernel kernels[] = {
  { "float32", "AVX-512 FMA", has_avx512, float32_avx512 },
  { "float32", "AVX2 FMA", has_avx2, float32_avx2 },
  { "bfloat16", "AMX", has_amx_bf16, bfloat16_amx },
  { "bfloat16", "AVX-512 BF16", has_avx512_bf16, bfloat16_avx512 },
  { "int8", "AMX", has_amx_int8, int8_amx },
  { "int8", "AVX-512 VNNI", has_vnni, int8_vnni },
  { NULL },
};
#else
static const Kernel kernels[] = { { NULL } };
#endif

static const char *const formats[] = { "float32", "bfloat16", "int8" };

static const Kernel *
find_kernel (const char *format)
{
  for (const Kernel *kernel = kernels; kernel->format; kernel++) {
    if (g_str_equal (kernel->format, format) && kernel->usable ())
      return kernel;
  }
  return NULL;
}

/* ---- Bursts ---- */

typedef struct {
  const Kernel *kernel;
  gsize rounds;
  double operations;
} Share;

static gpointer
run_share (gpointer data)
{
  Share *share = data;
  share->operations = share->kernel->run (share->rounds);
  return NULL;
}

/* Gop/s of all threads together. */
static double
run_burst (const Kernel *kernel, gsize rounds, guint n_threads)
{
  g_autofree Share *shares = g_new (Share, n_threads);
  g_autofree GThread **threads = g_new (GThread *, n_threads);
  double operations = 0;
  gint64 begin = g_get_monotonic_time ();
  for (guint i = 0; i < n_threads; i++) {
    shares[i] = (Share){ .kernel = kernel, .rounds = rounds };
    threads[i] = g_thread_new ("ceiling", run_share, &shares[i]);
  }
  for (guint i = 0; i < n_threads; i++) {
    g_thread_join (threads[i]);
    operations += shares[i].operations;
  }
  gint64 microseconds = MAX (g_get_monotonic_time () - begin, 1);
  return operations / (double) microseconds / 1e3;
}

static double
measure (const Kernel *kernel, guint n_threads)
{
  const gsize trial = 1000000;
  double best = 0;
  gint64 begin = g_get_monotonic_time ();
  kernel->run (trial);
  double seconds = (double) MAX (g_get_monotonic_time () - begin, 1) / G_USEC_PER_SEC;
  gsize rounds = (gsize) ((double) trial * BURST_SECONDS / seconds);
  for (int i = 0; i < BURSTS; i++)
    best = MAX (best, run_burst (kernel, rounds, n_threads));
  return best;
}

/* Members of an object: for each available format, the output of @print. */
static void
print_object (void (*print) (const Kernel *kernel, guint n_threads), guint n_threads)
{
  const char *separator = "{";
  for (guint i = 0; i < G_N_ELEMENTS (formats); i++) {
    const Kernel *kernel = find_kernel (formats[i]);
    if (!kernel)
      continue;
    g_print ("%s\"%s\": ", separator, formats[i]);
    print (kernel, n_threads);
    separator = ", ";
  }
  g_print ("%s}", *separator == '{' ? "{" : "");
}

static void
print_rate (const Kernel *kernel, guint n_threads)
{
  g_print ("%.2f", measure (kernel, n_threads));
}

static void
print_instruction (const Kernel *kernel, guint n_threads)
{
  g_print ("\"%s\"", kernel->instruction);
}

int
main (int argc, char **argv)
{
  int threads = 2, repeat = 1;
  gboolean turns = FALSE;
  const GOptionEntry entries[] = { { "threads", 0, 0, G_OPTION_ARG_INT, &threads, NULL, "N" },
                                   { "repeat", 0, 0, G_OPTION_ARG_INT, &repeat, NULL, "N" },
                                   { "turns", 0, 0, G_OPTION_ARG_NONE, &turns,
                                     "measure for each line of input", NULL },
                                   { NULL } };
  g_autoptr (GError) error = NULL;
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error) || argc > 1 || threads < 1) {
    g_printerr ("ceiling: %s\n", error ? error->message : "see ceiling --help");
    return 64;
  }

  char line[64];
  g_print ("ready\n");
  for (int i = 0; turns ? fgets (line, sizeof line, stdin) != NULL : i < repeat; i++) {
    print_object (print_rate, (guint) threads);
    g_print ("\n");
  }
  g_print ("{\"program\": \"ceiling\", \"threads\": %d, \"instructions\": ", threads);
  print_object (print_instruction, (guint) threads);
  g_print ("}\n");
  return 0;
}
