#include "card.h"

/* A double-quoted YAML scalar is a JSON string; names have no control characters left, as they have
 * been sanitised, but a title may contain any. */
static void
append_quoted (GString *out, const char *text)
{
  g_string_append_c (out, '"');
  for (; *text; text = g_utf8_next_char (text)) {
    gunichar c = g_utf8_get_char (text);

    if (c == '"' || c == '\\')
      g_string_append_c (out, '\\');
    if (g_unichar_iscntrl (c))
      g_string_append_printf (out, "\\u%04x", c);
    else
      g_string_append_unichar (out, c);
  }
  g_string_append_c (out, '"');
}

static void
append_configs (GString *out, const Card *card)
{
  g_string_append (out, "configs:\n- config_name: default\n  data_files:\n");
  for (guint i = 0; card->sets[i]; i++)
    g_string_append_printf (out, "  - split: %s\n    path: \"data/%s/**\"\n", card->sets[i],
                            card->sets[i]);
}

static void
append_features (GString *out, const Card *card)
{
  g_string_append (out, "dataset_info:\n  features:\n  - name: audio\n    dtype:");
  if (card->rate > 0)
    g_string_append_printf (out, "\n      audio:\n        sampling_rate: %u\n", card->rate);
  else
    g_string_append (out, " audio\n");
  g_string_append (out, "  - name: label\n    dtype:\n      class_label:\n        names:\n");
  for (guint i = 0; card->labels[i]; i++) {
    g_string_append_printf (out, "          '%u': ", i);
    append_quoted (out, card->labels[i]);
    g_string_append_c (out, '\n');
  }
  for (guint i = 0; card->columns && card->columns[i]; i += 2) {
    g_string_append (out, "  - name: ");
    append_quoted (out, card->columns[i]);
    g_string_append_printf (out, "\n    dtype: %s\n", card->columns[i + 1]);
  }
}

static const char open_audio[] =
  "import datasets\n\n"
  "data = datasets.load_dataset(\"audiofolder\", data_dir=\"FOLDER\")\n";

static const char open_vectors[] =
  "from pathlib import Path\nimport numpy as np\n\n"
  "files = sorted(Path(\"FOLDER/data/train\").rglob(\"*.npy\"))\n"
  "arrays = [np.load(file) for file in files]  # [segments, C] for each song\n"
  "x = np.concatenate(arrays)\n"
  "y = np.repeat([file.parent.name for file in files], [len(array) for array in arrays])\n";

char *
card_write (const Card *card)
{
  GString *out = g_string_new ("---\npretty_name: ");

  append_quoted (out, card->title);
  g_string_append (out, "\ntask_categories:\n- audio-classification\n");
  if (!card->vectors) {
    append_configs (out, card);
    append_features (out, card);
  }
  g_string_append_printf (out, "---\n\n# %s\n\n", card->title);
  g_string_append (out, "| set | segments |\n|---|---|\n");
  for (guint i = 0; card->sets[i]; i++)
    g_string_append_printf (out, "| %s | %u |\n", card->sets[i], card->counts[i]);
  g_string_append_printf (out, "\nMade with segue. Open it with\n\n```python\n%s```\n",
                          card->vectors ? open_vectors : open_audio);
  return g_string_free (out, FALSE);
}
