/* A hub for tests, correct or faulty, and an empty cache to fetch into. */
#pragma once

#include "command.h"
#include "http-server.h"

#define HUB_COMMIT  "1111111111111111111111111111111111111111"
#define HUB_COMMIT2 "2222222222222222222222222222222222222222"
#define HUB_CONFIG  "{\"model_type\": \"test\"}\n"
#define HUB_WEIGHTS 300000 /* bytes */

/* How the servers behave. The hub resolves names; the store, another origin, serves the bytes of
 * large files. */
typedef struct {
  HttpServer *hub;
  HttpServer *store;
  char *folder;
  char **env;
  guint8 *weights;
  char *weights_sha256;
  char *config_sha1;

  const char *commit;        /* response of the hub */
  const char *second_commit; /* … of model.safetensors */
  const char *etag;          /* of model.safetensors; NULL: the right one */
  const char *location;      /* of it; NULL: the store */
  gint64 linked_size;        /* of it; 0: the right one */
  int config_status;         /* of config.json; 0: 200 */
  guint fail_first;          /* number of requests answered with 500 first */
  gsize cut;                 /* the store stops after this many bytes … */
  guint cuts;                /* … this many times */
  gboolean no_ranges;        /* the store answers 200 to any range */
  gboolean wrong_range;      /* … or with another part, once */
  gboolean corrupt;          /* … or with other bytes */
  gboolean more;             /* … or with more bytes than exist */
  gboolean pickle_only;
  const char *endless; /* … or repeats this after a status line or head, while it is read */
  gsize taken;         /* bytes of it */
  const char *index;   /* of weights in two files; NULL: in one */
  gulong slow;         /* µs between pieces of the store's response */
  gint asked;
  gint served;
} Hub;

/* For g_test_add(): two servers and an environment that refers to the first. */
void hub_set_up (Hub *f, gconstpointer data);
void hub_tear_down (Hub *f, gconstpointer data);

/** hub_fetch: `segue fetch org/name`; the token is only sent to the hub. */
void hub_fetch (Hub *f, int status, CommandResult *result);

/* Content of the cache afterwards; names are relative to the model's folder. */

/** hub_path: (transfer full). */
char *hub_path (Hub *f, const char *below);
gboolean hub_has (Hub *f, const char *below);
void hub_assert_content (Hub *f, const char *below, const void *bytes, gsize length);
/** hub_assert_whole: checks that the model is stored exactly as by Hugging Face's own programs. */
void hub_assert_whole (Hub *f);
/** hub_assert_nothing: checks that there is nothing that a program could mistake for the model. */
void hub_assert_nothing (Hub *f);
