/* From where requests may come.  A server on this machine can be reached by every page that its browser shows: what
 * tells them apart is the name that they call it by (a foreign name that was made to lead here is
 * how pages get around the rule of same origin), and what browsers say of where a request is from. */
#pragma once

#include <glib.h>

/**
 * Guard:
 * @names: (element-type utf8): hosts as they stand in a URL, lower case, without port
 * @any_address: any IP address, too: no foreign name leads to where the name is an address
 */
typedef struct {
  GPtrArray *names;
  gboolean any_address;
} Guard;

/** guard_init: for a server that listens at @address.
 * @names: (nullable): what else it goes by */
void guard_init (Guard *guard, const char *address, char *const *names);
void guard_clear (Guard *guard);
/** guard_knows_host: @host: the header, with or without a port. */
gboolean guard_knows_host (const Guard *guard, const char *host);
/** guard_is_own_page: whether nothing says that the request is from another site's page.
 * @host, @origin, @fetch_site: (nullable): the headers Host, Origin, Sec-Fetch-Site */
gboolean guard_is_own_page (const char *host, const char *origin, const char *fetch_site);
/** guard_is_loopback: an address that only this machine reaches. */
gboolean guard_is_loopback (const char *address);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Guard, guard_clear)
