/* The token that requests carry.  It comes in the address that `segue serve` prints, and is kept by this
 * browser for this address: no cookie, which servers at other ports of this machine would get, too. */

const KEY = 'segue-token';
let token = '';

const remember = () => {
  try {
    localStorage.setItem(KEY, token);
  } catch { /* a browser that keeps nothing: the token lasts as long as the page */ }
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

/* Out of the address, so that neither the history nor a picture of the window has it. */
const given = new URLSearchParams(location.search).get('token');
if (given) {
  useToken(given);
  history.replaceState(null, '', location.pathname + location.hash);
} else {
  token = recall();
}

/* What a header can hold; anything else is no token of ours. */
export const headers = () => (/^[\w.~-]+$/.test(token) ? { Authorization: `Bearer ${token}` } : {});
