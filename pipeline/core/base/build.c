/* Build ids: the linker's hash of an object, which is mapped into memory with it. */
#include "base/build.h"

#include <elf.h>
#include <link.h>
#include <string.h>

typedef struct {
  guintptr address;
  char *id;   /* (nullable): as the linker wrote it */
  char *path; /* of the object; NULL: none contains the address */
} Search;

static gboolean
has_address (const struct dl_phdr_info *object, guintptr address)
{
  for (guint i = 0; i < object->dlpi_phnum; i++) {
    const ElfW (Phdr) *part = &object->dlpi_phdr[i];
    guintptr start = object->dlpi_addr + part->p_vaddr;
    if (part->p_type == PT_LOAD && address >= start && address - start < part->p_memsz)
      return TRUE;
  }
  return FALSE;
}

static gsize
padded (gsize size, gsize alignment)
{
  return (size + alignment - 1) / alignment * alignment;
}

/* (transfer full) (nullable): from the notes in @size bytes at @notes. */
static char *
find_id (const char *notes, gsize size, gsize alignment)
{
  for (gsize at = 0; size - at >= sizeof (ElfW (Nhdr));) {
    const ElfW (Nhdr) *note = (const void *) (notes + at);
    gsize name = at + sizeof *note, value = padded (name + note->n_namesz, alignment);
    gsize end = padded (value + note->n_descsz, alignment);
    if (end > size && value + note->n_descsz > size)
      break;
    if (note->n_type == NT_GNU_BUILD_ID && note->n_namesz == sizeof ELF_NOTE_GNU &&
        memcmp (notes + name, ELF_NOTE_GNU, sizeof ELF_NOTE_GNU) == 0) {
      GString *hex = g_string_new (NULL);
      for (gsize i = 0; i < note->n_descsz; i++)
        g_string_append_printf (hex, "%02x", (guint8) notes[value + i]);
      return g_string_free (hex, FALSE);
    }
    if (end >= size)
      break;
    at = end;
  }
  return NULL;
}

static int
look (struct dl_phdr_info *object, size_t size, void *data)
{
  Search *search = data;
  if (!has_address (object, search->address))
    return 0;
  search->path = g_strdup (*object->dlpi_name ? object->dlpi_name : "/proc/self/exe");
  for (guint i = 0; i < object->dlpi_phnum && !search->id; i++) {
    const ElfW (Phdr) *part = &object->dlpi_phdr[i];
    if (part->p_type == PT_NOTE)
      search->id = find_id ((const char *) object->dlpi_addr + part->p_vaddr, part->p_memsz,
                            part->p_align == 8 ? 8 : 4);
  }
  return 1;
}

char *
segue_build_of (void (*function) (void))
{
  Search search = { .address = (guintptr) function };
  dl_iterate_phdr (look, &search);
  g_autofree char *path = search.path;
  if (search.id || !path)
    return search.id ? search.id : g_strdup ("");
  g_autofree char *file = NULL;
  gsize size;
  if (!g_file_get_contents (path, &file, &size, NULL))
    return g_strdup ("");
  return g_compute_checksum_for_data (G_CHECKSUM_SHA256, (const guchar *) file, size);
}
