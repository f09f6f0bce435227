/* The token that requests carry. It is part of the address that `segue serve` prints, and is kept in this
 * browser's storage for this address. It is not a cookie: servers at other ports of this machine would also
 * get that. */

const KEY = 'segue-token';
let token = '';

const remember = () => {
  try {
    localStorage.setItem(KEY, token);
  } catch { /* a browser without storage: the token is kept only while the page is open */ }
};

const recall = () => {
  try {
    return localStorage.getItem(KEY) ?? '';
  } catch {
    return '';
  }
};

export const useToken = given => {
  token = given.trim();
  remember();
};

/* Removed from the address, so that neither the history nor a screenshot of the window contains it. */
const given = new URLSearchParams(location.search).get('token');
if (given) {
  useToken(given);
  history.replaceState(null, '', location.pathname + location.hash);
} else {
  token = recall();
}

/* Only characters that a header can contain; anything else is not a token of this server. */
export const headers = () => (/^[\w.~-]+$/.test(token) ? { Authorization: `Bearer ${token}` } : {});
