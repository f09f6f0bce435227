/* Checks where requests come from. Every page in a browser on this machine can reach a local
 * server: requests are distinguished by the host name that they use (a foreign name that resolves
 * to this server is how pages evade the same-origin policy), and by what browsers report about the
 * origin of a request. */
#pragma once

#include <glib.h>

/**
 * Guard:
 * @names: (element-type utf8): hosts as written in a URL, lower case, without port
 * @any_address: also any IP address: a request to an address did not use a foreign name
 */
typedef struct {
  GPtrArray *names;
  gboolean any_address;
} Guard;

/** guard_init: for a server that listens on @address.
 * @names: (nullable): its other names */
void guard_init (Guard *guard, const char *address, char *const *names);
void guard_clear (Guard *guard);
/** guard_knows_host: @host: the header, with or without a port. */
gboolean guard_knows_host (const Guard *guard, const char *host);
/** guard_is_own_page: whether no header shows that the request is from another site's page.
 * @host, @origin, @fetch_site: (nullable): the headers Host, Origin, Sec-Fetch-Site */
gboolean guard_is_own_page (const char *host, const char *origin, const char *fetch_site);
/** guard_is_loopback: an address that only this machine reaches. */
gboolean guard_is_loopback (const char *address);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Guard, guard_clear)
