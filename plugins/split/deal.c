#include "deal.h"

#include <segue/random.h>
#include <string.h>

/* How many songs of one label a group contains. */
typedef struct {
  guint label;
  guint group;
  guint songs;
} Member;

typedef struct {
  gboolean is_dealt;
  SegueSet set;
  int fold;
} Place;

typedef struct {
  guint songs;
  guint groups;
  guint largest;              /* group, in songs */
  guint free_groups;          /* not assigned yet */
  guint train_groups;         /* assigned to train */
  guint in_set[SEGUE_N_SETS]; /* songs */
  guint groups_in[SEGUE_N_SETS];
  guint first, n_members; /* its slice of Deal.by_label */
} Label;

struct _Deal {
  DealPlan plan;
  guint n_labels, n_groups;
  guint64 *hashes; /* [n_groups] */
  const char *const *names;
  Place *places;      /* [n_groups] */
  Label *labels;      /* [n_labels] */
  GArray *by_label;   /* Member; within a label in the order of the hashes */
  GArray *by_group;   /* Member, by group */
  guint *group_first; /* [n_groups + 1]: slices of by_group */
};

static int
compare_in_group (gconstpointer a, gconstpointer b)
{
  const Member *x = a, *y = b;

  if (x->group != y->group)
    return x->group < y->group ? -1 : 1;
  return (x->label > y->label) - (x->label < y->label);
}

static int
compare_by_hash (gconstpointer a, gconstpointer b, gpointer data)
{
  const Deal *self = data;
  const Member *x = a, *y = b;

  if (x->label != y->label)
    return x->label < y->label ? -1 : 1;
  if (self->hashes[x->group] != self->hashes[y->group])
    return self->hashes[x->group] < self->hashes[y->group] ? -1 : 1;
  return strcmp (self->names[x->group], self->names[y->group]);
}

/* One member for each (group, label) that occurs. */
static void
count_members (Deal *self, const DealSong *songs, guint n_songs)
{
  for (guint i = 0; i < n_songs; i++) {
    Member member = { songs[i].label, songs[i].group, 1 };

    g_array_append_val (self->by_group, member);
  }
  g_array_sort (self->by_group, compare_in_group);
  for (guint i = 0; i < self->by_group->len; i++) {
    Member *member = &g_array_index (self->by_group, Member, i);
    Member *last =
      self->by_label->len ? &g_array_index (self->by_label, Member, self->by_label->len - 1) : NULL;

    if (last && last->group == member->group && last->label == member->label)
      last->songs++;
    else
      g_array_append_val (self->by_label, *member);
  }
  g_array_set_size (self->by_group, 0);
  g_array_append_vals (self->by_group, self->by_label->data, self->by_label->len);
}

Deal *
deal_new (const DealPlan *plan, const DealSong *songs, guint n_songs, guint n_labels,
          const char *const *group_names, guint n_groups)
{
  Deal *self = g_new0 (Deal, 1);

  self->plan = *plan;
  self->n_labels = n_labels;
  self->n_groups = n_groups;
  self->names = group_names;
  self->hashes = g_new0 (guint64, n_groups + 1);
  self->places = g_new0 (Place, n_groups + 1);
  self->labels = g_new0 (Label, n_labels + 1);
  self->group_first = g_new0 (guint, n_groups + 1);
  self->by_label = g_array_new (FALSE, FALSE, sizeof (Member));
  self->by_group = g_array_new (FALSE, FALSE, sizeof (Member));
  for (guint i = 0; i < n_groups; i++)
    self->hashes[i] = segue_random_hash_string (plan->seed, group_names[i]);
  count_members (self, songs, n_songs);
  g_array_sort_with_data (self->by_label, compare_by_hash, self);

  for (guint i = 0; i < self->by_group->len; i++)
    self->group_first[g_array_index (self->by_group, Member, i).group + 1] = i + 1;
  for (guint g = 0; g < n_groups; g++) /* groups without songs */
    self->group_first[g + 1] = MAX (self->group_first[g + 1], self->group_first[g]);
  for (guint i = 0; i < self->by_label->len; i++) {
    const Member *member = &g_array_index (self->by_label, Member, i);
    Label *label = &self->labels[member->label];

    if (label->n_members++ == 0)
      label->first = i;
    label->groups++;
    label->songs += member->songs;
    label->largest = MAX (label->largest, member->songs);
  }
  return self;
}

void
deal_free (Deal *self)
{
  if (!self)
    return;
  g_free (self->hashes);
  g_free (self->places);
  g_free (self->labels);
  g_free (self->group_first);
  g_array_unref (self->by_label);
  g_array_unref (self->by_group);
  g_free (self);
}

static const Member *
group_members (const Deal *self, guint group, guint *n)
{
  *n = self->group_first[group + 1] - self->group_first[group];
  return &g_array_index (self->by_group, Member, self->group_first[group]);
}

static gboolean
wants (const Deal *self, SegueSet set)
{
  const DealAmount *amount = &self->plan.amounts[set];

  return set == SEGUE_SET_TRAIN || amount->share > 0 || amount->count > 0 ||
         (set == SEGUE_SET_TEST && self->plan.folds > 0);
}

/* How many songs of @label should be in @set. */
static guint
target (const Deal *self, const Label *label, SegueSet set)
{
  const DealAmount *amount = &self->plan.amounts[set];
  guint share = (guint) (amount->share * label->songs + 0.5);

  return wants (self, set) ? MAX (MAX (share, amount->count), amount->least) : 0;
}

static void
place (Deal *self, guint group, SegueSet set)
{
  guint n;
  const Member *members = group_members (self, group, &n);

  self->places[group].is_dealt = TRUE;
  self->places[group].set = set;
  for (guint i = 0; i < n; i++) {
    Label *label = &self->labels[members[i].label];

    label->free_groups--;
    label->train_groups += set == SEGUE_SET_TRAIN;
    label->groups_in[set]++;
    label->in_set[set] += members[i].songs;
  }
}

/* Whether @group may go to @set: of each label in it, something has to be left for the sets
 * assigned later: validation, then train. */
static gboolean
can_spare (const Deal *self, guint group, SegueSet set)
{
  guint n;
  const Member *members = group_members (self, group, &n);

  for (guint i = 0; i < n; i++) {
    const Label *label = &self->labels[members[i].label];
    guint later = label->train_groups == 0;

    later += set == SEGUE_SET_TEST && wants (self, SEGUE_SET_VALIDATION);
    if (label->free_groups < 1 + later)
      return FALSE;
  }
  return TRUE;
}

/* Whether @songs more bring a label with @have songs nearer to @wanted. */
static gboolean
brings_nearer (guint have, guint songs, guint wanted)
{
  guint after = have + songs;

  if (have >= wanted)
    return FALSE;
  return after <= wanted || after - wanted < wanted - have;
}

static void
draw_label (Deal *self, guint index, SegueSet set)
{
  Label *label = &self->labels[index];
  guint wanted = target (self, label, set);
  const Member *members = &g_array_index (self->by_label, Member, label->first);

  /* In random order, groups that fit. */
  for (guint i = 0; i < label->n_members && label->in_set[set] < wanted; i++) {
    guint group = members[i].group;

    if (!self->places[group].is_dealt && can_spare (self, group, set) &&
        brings_nearer (label->in_set[set], members[i].songs, wanted))
      place (self, group, set);
  }
  /* Where all albums are larger than needed: the smallest ones, until there are enough songs. */
  while (label->in_set[set] < MAX (self->plan.amounts[set].least, MIN (wanted, 1))) {
    const Member *best = NULL;

    for (guint i = 0; i < label->n_members; i++)
      if (!self->places[members[i].group].is_dealt && can_spare (self, members[i].group, set) &&
          (!best || members[i].songs < best->songs))
        best = &members[i];
    if (!best)
      return;
    place (self, best->group, set);
  }
}

/* Assigns each group to the fold with the fewest songs of its label, then the fewest in total. */
static void
deal_folds (Deal *self)
{
  g_autofree guint *all = g_new0 (guint, self->plan.folds);

  for (guint l = 0; l < self->n_labels; l++) {
    const Label *label = &self->labels[l];
    const Member *members = &g_array_index (self->by_label, Member, label->first);
    g_autofree guint *own = g_new0 (guint, self->plan.folds);

    for (guint i = 0; i < label->n_members; i++) /* groups assigned with another label */
      if (self->places[members[i].group].fold >= 0)
        own[self->places[members[i].group].fold] += members[i].songs;
    for (guint i = 0; i < label->n_members; i++) {
      guint best = 0;
      Place *at = &self->places[members[i].group];

      if (at->is_dealt || at->fold >= 0)
        continue;
      for (guint f = 1; f < self->plan.folds; f++)
        if (own[f] < own[best] || (own[f] == own[best] && all[f] < all[best]))
          best = f;
      at->fold = (int) best;
      own[best] += members[i].songs;
      all[best] += members[i].songs;
    }
  }
  for (guint g = 0; g < self->n_groups; g++)
    if (self->places[g].fold == (int) self->plan.fold)
      place (self, g, SEGUE_SET_TEST);
}

static void
reset (Deal *self)
{
  for (guint g = 0; g < self->n_groups; g++)
    self->places[g] = (Place){ FALSE, SEGUE_SET_TRAIN, -1 };
  for (guint l = 0; l < self->n_labels; l++) {
    Label *label = &self->labels[l];

    label->free_groups = label->groups;
    label->train_groups = 0;
    memset (label->in_set, 0, sizeof label->in_set);
    memset (label->groups_in, 0, sizeof label->groups_in);
  }
}

static void
pin (Deal *self, const gboolean *train_only)
{
  for (guint i = 0; i < self->by_label->len; i++) {
    const Member *member = &g_array_index (self->by_label, Member, i);

    if (train_only[member->label] && !self->places[member->group].is_dealt)
      place (self, member->group, SEGUE_SET_TRAIN);
  }
}

static gboolean
got_enough (const Deal *self, const Label *label)
{
  for (SegueSet set = SEGUE_SET_TRAIN; set < SEGUE_N_SETS; set++) {
    const DealAmount *amount = &self->plan.amounts[set];
    /* Albums can't be divided; songs are exact. */
    guint exact = label->largest == 1 ? amount->count : 0;

    if (wants (self, set) && label->in_set[set] < MAX (MAX (exact, amount->least), 1))
      return FALSE;
  }
  return self->plan.folds == 0 || label->groups >= self->plan.folds;
}

guint
deal_run (Deal *self, const gboolean *train_only, gboolean *short_labels)
{
  guint n_short = 0;

  reset (self);
  pin (self, train_only);
  if (self->plan.folds > 0)
    deal_folds (self);
  else if (wants (self, SEGUE_SET_TEST))
    for (guint l = 0; l < self->n_labels; l++)
      draw_label (self, l, SEGUE_SET_TEST);
  if (wants (self, SEGUE_SET_VALIDATION))
    for (guint l = 0; l < self->n_labels; l++)
      draw_label (self, l, SEGUE_SET_VALIDATION);
  for (guint g = 0; g < self->n_groups; g++)
    if (!self->places[g].is_dealt)
      place (self, g, SEGUE_SET_TRAIN);
  for (guint l = 0; l < self->n_labels; l++) {
    short_labels[l] =
      !train_only[l] && self->labels[l].songs > 0 && !got_enough (self, &self->labels[l]);
    n_short += short_labels[l] != FALSE;
  }
  return n_short;
}

SegueSet
deal_get_set (const Deal *self, guint group)
{
  return self->places[group].set;
}

int
deal_get_fold (const Deal *self, guint group)
{
  return self->places[group].fold;
}

guint
deal_get_need (const Deal *self, gboolean of_songs)
{
  guint need = 1;

  for (SegueSet set = SEGUE_SET_VALIDATION; set < SEGUE_N_SETS; set++) {
    const DealAmount *amount = &self->plan.amounts[set];

    if (wants (self, set) && !(set == SEGUE_SET_TEST && self->plan.folds > 0))
      need += of_songs ? MAX (MAX (amount->count, amount->least), 1) : 1;
  }
  if (self->plan.folds > 0)
    need = MAX (self->plan.folds, need + 1);
  return need;
}
