#include "guard.h"

#include <gio/gio.h>
#include <string.h>

static void
add_name (Guard *guard, const char *name)
{
  /* In a URL, an IPv6 address is in brackets. */
  gboolean bare = strchr (name, ':') && *name != '[';
  g_autofree char *host = bare ? g_strdup_printf ("[%s]", name) : g_strdup (name);
  g_ptr_array_add (guard->names, g_ascii_strdown (host, -1));
}

static gboolean
is_any (const char *address)
{
  g_autoptr (GInetAddress) parsed = g_inet_address_new_from_string (address);
  return parsed && g_inet_address_get_is_any (parsed);
}

gboolean
guard_is_loopback (const char *address)
{
  g_autoptr (GInetAddress) parsed = g_inet_address_new_from_string (address);
  return parsed && g_inet_address_get_is_loopback (parsed);
}

void
guard_init (Guard *guard, const char *address, char *const *names)
{
  guard->names = g_ptr_array_new_with_free_func (g_free);
  guard->any_address = is_any (address);
  add_name (guard, "localhost");
  add_name (guard, "127.0.0.1");
  add_name (guard, "::1");
  add_name (guard, address);
  for (; names && *names; names++)
    add_name (guard, *names);
}

void
guard_clear (Guard *guard)
{
  g_clear_pointer (&guard->names, g_ptr_array_unref);
}

/* @host without `:PORT`; NULL if the text after the name is not a port. */
static char *
strip_port (const char *host)
{
  const char *end = *host == '[' ? strchr (host, ']') : host + strcspn (host, ":");
  if (!end)
    return NULL;
  end += *host == '[';
  if (*end == ':' && strspn (end + 1, "0123456789") == strlen (end + 1))
    return g_ascii_strdown (host, end - host);
  return *end == '\0' ? g_ascii_strdown (host, -1) : NULL;
}

static gboolean
is_address (const char *name)
{
  gsize n = strlen (name);
  g_autofree char *inner = *name == '[' && n > 2 ? g_strndup (name + 1, n - 2) : g_strdup (name);
  return g_hostname_is_ip_address (inner);
}

gboolean
guard_knows_host (const Guard *guard, const char *host)
{
  g_autofree char *name = strip_port (host);
  if (!name)
    return FALSE;
  return g_ptr_array_find_with_equal_func (guard->names, name, g_str_equal, NULL) ||
         (guard->any_address && is_address (name));
}

gboolean
guard_is_own_page (const char *host, const char *origin, const char *fetch_site)
{
  /* `none`: typed, or from a bookmark. */
  if (fetch_site && !g_str_equal (fetch_site, "same-origin") && !g_str_equal (fetch_site, "none"))
    return FALSE;
  if (!origin)
    return TRUE;
  /* Behind a proxy it may have been https. */
  const char *at = g_str_has_prefix (origin, "http://")    ? origin + strlen ("http://")
                   : g_str_has_prefix (origin, "https://") ? origin + strlen ("https://")
                                                           : NULL;
  return at && host && g_ascii_strcasecmp (at, host) == 0;
}
