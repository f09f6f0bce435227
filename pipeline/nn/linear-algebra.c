#include "backend-openblas.h"
#include "nn-private.h"

#include <cblas.h>
#include <math.h>
#include <segue/error.h>
#include <segue/nn/linear-algebra.h>

/* Rows and columns of a tile. */
#define TILE ((gsize) 256)

/* LAPACK, which OpenBLAS contains; its header belongs to another package. The matrices of Fortran are column-major:
 * the lower triangle by rows is the upper by columns. */
extern void dpotrf_ (const char *uplo, const int *n, double *a, const int *lda, int *info);
extern void dsyevd_ (const char *jobz, const char *uplo, const int *n, double *a, const int *lda,
                     double *w, double *work, const int *lwork, int *iwork, const int *liwork,
                     int *info);

/* OpenBLAS is initialised by its backend, which may not be the one that threads use. */
static void
init (void)
{
  static gsize ready = 0;
  if (g_once_init_enter (&ready)) {
    segue_nn_backend_openblas.init ();
    g_once_init_leave (&ready, 1);
  }
}

static int
as_int (gsize n)
{
  g_assert (n <= G_MAXINT);
  return (int) n;
}

typedef struct {
  gboolean trans;
  gsize m, n, k;
  double alpha, beta;
  const double *a, *b;
  gsize lda, ldb;
  double *c;
  gsize ldc;
  gsize tiles; /* in a row of C */
} Run;

/* Tile number (i, j), j <= i, counted row by row. */
static void
run_syrk (gpointer data, gsize tile, guint thread)
{
  const Run *r = data;
  gsize i = 0;
  while ((i + 1) * (i + 2) / 2 <= tile)
    i++;
  gsize j = tile - i * (i + 1) / 2;
  int rows = as_int (nn_tile_length (r->n, TILE, i)),
      columns = as_int (nn_tile_length (r->n, TILE, j));
  gsize step = r->trans ? TILE : TILE * r->lda;
  double *c = r->c + i * TILE * r->ldc + j * TILE;
  CBLAS_TRANSPOSE first = r->trans ? CblasTrans : CblasNoTrans;
  CBLAS_TRANSPOSE second = r->trans ? CblasNoTrans : CblasTrans;

  if (i == j)
    cblas_dsyrk (CblasRowMajor, CblasLower, first, rows, as_int (r->k), r->alpha, r->a + i * step,
                 as_int (r->lda), r->beta, c, as_int (r->ldc));
  else
    cblas_dgemm (CblasRowMajor, first, second, rows, columns, as_int (r->k), r->alpha,
                 r->a + i * step, as_int (r->lda), r->a + j * step, as_int (r->lda), r->beta, c,
                 as_int (r->ldc));
}

void
segue_nn_syrk (SegueNnThreads *threads, gboolean trans, gsize n, gsize k, double alpha,
               const double *a, gsize lda, double beta, double *c, gsize ldc)
{
  Run run = { .trans = trans,
              .n = n,
              .k = k,
              .alpha = alpha,
              .beta = beta,
              .a = a,
              .lda = lda,
              .c = c,
              .ldc = ldc };
  gsize tiles = nn_tiles (n, TILE);
  init ();
  segue_nn_threads_run (threads, tiles * (tiles + 1) / 2, run_syrk, &run);
}

static void
run_dgemm (gpointer data, gsize tile, guint thread)
{
  const Run *r = data;
  gsize i = tile / r->tiles, j = tile % r->tiles;
  cblas_dgemm (CblasRowMajor, CblasNoTrans, r->trans ? CblasTrans : CblasNoTrans,
               as_int (nn_tile_length (r->m, TILE, i)), as_int (nn_tile_length (r->n, TILE, j)),
               as_int (r->k), 1.0, r->a + i * TILE * r->lda, as_int (r->lda),
               r->b + j * TILE * (r->trans ? r->ldb : 1), as_int (r->ldb), 0.0,
               r->c + i * TILE * r->ldc + j * TILE, as_int (r->ldc));
}

void
segue_nn_dgemm (SegueNnThreads *threads, gboolean trans_b, gsize m, gsize n, gsize k,
                const double *a, gsize lda, const double *b, gsize ldb, double *c, gsize ldc)
{
  Run run = { .trans = trans_b,
              .m = m,
              .n = n,
              .k = k,
              .a = a,
              .lda = lda,
              .b = b,
              .ldb = ldb,
              .c = c,
              .ldc = ldc,
              .tiles = nn_tiles (n, TILE) };
  init ();
  segue_nn_threads_run (threads, nn_tiles (m, TILE) * run.tiles, run_dgemm, &run);
}

gboolean
segue_nn_cholesky (gsize n, double *a, gsize lda)
{
  int size = as_int (n), leading = as_int (lda), info = 0;
  init ();
  dpotrf_ ("U", &size, a, &leading, &info);
  return info == 0;
}

/* Row-major, b ← L⁻¹ b for each row is B ← B L⁻ᵀ. */
static void
run_solve (gpointer data, gsize tile, guint thread)
{
  const Run *r = data;
  cblas_dtrsm (CblasRowMajor, CblasRight, CblasLower, r->trans ? CblasNoTrans : CblasTrans,
               CblasNonUnit, as_int (nn_tile_length (r->m, TILE, tile)), as_int (r->n), 1.0, r->a,
               as_int (r->lda), r->c + tile * TILE * r->ldc, as_int (r->ldc));
}

void
segue_nn_solve_lower (SegueNnThreads *threads, gboolean trans, gsize m, gsize n, const double *l,
                      gsize ldl, double *b, gsize ldb)
{
  Run run = { .trans = trans, .m = m, .n = n, .a = l, .lda = ldl, .c = b, .ldc = ldb };
  init ();
  segue_nn_threads_run (threads, nn_tiles (m, TILE), run_solve, &run);
}

/* An eigenvector may have either sign. */
static void
fix_sign (double *v, gsize n)
{
  gsize largest = 0;
  for (gsize i = 1; i < n; i++)
    if (fabs (v[i]) > fabs (v[largest]))
      largest = i;
  if (v[largest] < 0.0)
    for (gsize i = 0; i < n; i++)
      v[i] = -v[i];
}

gboolean
segue_nn_eigen_symmetric (gsize n, double *a, gsize lda, double *values, GError **error)
{
  g_assert (n <= SEGUE_NN_LINEAR_ALGEBRA_MAX);
  int size = as_int (n), leading = as_int (lda), info = 0;
  int n_work = as_int (1 + 6 * n + 2 * n * n), n_iwork = as_int (3 + 5 * n);
  g_autofree double *work = g_try_new (double, (gsize) n_work);
  g_autofree int *iwork = g_try_new (int, (gsize) n_iwork);
  if (!work || !iwork) {
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_RESOURCE,
                 "not enough memory for eigenvectors of %" G_GSIZE_FORMAT " dimensions", n);
    return FALSE;
  }
  init ();
  dsyevd_ ("V", "U", &size, a, &leading, values, work, &n_work, iwork, &n_iwork, &info);
  if (info != 0) {
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA,
                 "the eigenvectors of a matrix of %" G_GSIZE_FORMAT " dimensions do not converge",
                 n);
    return FALSE;
  }
  for (gsize i = 0; i < n; i++)
    fix_sign (a + i * lda, n);
  return TRUE;
}

const char *
segue_nn_linear_algebra_fingerprint (void)
{
  init ();
  return segue_nn_backend_openblas.fingerprint ();
}
