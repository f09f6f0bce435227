// Accessibility rules that a script can check: returns the problems, in words.
const problems = [];
const say = (element, what) =>
  problems.push(what + ": <" + element.tagName.toLowerCase() + (element.id ? "#" + element.id : "") + "> " +
    (element.textContent || "").trim().slice(0, 40));
const all = selector => [...document.querySelectorAll(selector)];
const isSeen = element => {
  const box = element.getBoundingClientRect(), style = getComputedStyle(element);
  return box.width > 0 && box.height > 0 && style.visibility === "visible" && !element.closest(".hidden, dialog:not([open])");
};

// ---- Structure ----

if (!document.documentElement.lang)
  problems.push("no lang");
if (!document.title.trim())
  problems.push("no title");
if (!document.querySelector("meta[name=viewport]"))
  problems.push("no viewport");
if (all("h1").length !== 1 || all("main").length !== 1)
  problems.push("not exactly one h1 and one main");
let level = 0;
all("h1, h2, h3, h4").filter(isSeen).forEach(heading => {
  const own = Number(heading.tagName[1]);
  if (own > level + 1)
    say(heading, "a heading skips a level");
  level = own;
});
const ids = all("[id]").map(element => element.id);
ids.filter((id, i) => ids.indexOf(id) !== i).forEach(id => problems.push("two elements have the id " + id));
all("[aria-labelledby], [aria-describedby]").forEach(element =>
  ((element.getAttribute("aria-labelledby") || "") + " " + (element.getAttribute("aria-describedby") || ""))
    .split(/\s+/).filter(Boolean).filter(id => !document.getElementById(id)).forEach(id => say(element, "missing id " + id)));
all("a[href^='#']").forEach(link => {
  if (!document.getElementById(link.getAttribute("href").slice(1)))
    say(link, "link without a target");
});
all("table").forEach(table => {
  if (!table.caption || !table.querySelector("thead th[scope=col]"))
    say(table, "a table without caption or headings");
});

// ---- Names ----

const nameOf = element => {
  const by = element.getAttribute("aria-labelledby");
  return (element.getAttribute("aria-label") || (by && by.split(/\s+/).map(id =>
    document.getElementById(id)?.textContent).join(" ")) || element.getAttribute("alt") ||
    [...(element.labels || [])].map(label => label.textContent).join(" ") || element.textContent || "").trim();
};
all("a, button, input, select, textarea, audio, summary, dialog, nav, svg[role], [role=button], [role=group], [role=region]")
  .forEach(element => { if (!nameOf(element)) say(element, "has no name"); });
all("img:not([alt])").forEach(image => say(image, "has no alt"));
all("svg:not([role])").forEach(image => say(image, "has no role"));
all(".scroll").forEach(box => {
  if (box.scrollWidth > box.clientWidth && box.tabIndex < 0)
    say(box, "can't be scrolled by keyboard");
});

// ---- Contrast and size ----

const parse = colour => (colour.match(/[\d.]+/g) || []).map(Number);
const luminance = ([r, g, b]) => [r, g, b].map(value => {
  const share = value / 255;
  return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
}).reduce((sum, value, i) => sum + value * [0.2126, 0.7152, 0.0722][i], 0);
const contrast = (a, b) => {
  const [light, dark] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (light + 0.05) / (dark + 0.05);
};
const groundOf = element => {
  for (let at = element; at; at = at.parentElement) {
    const colour = parse(getComputedStyle(at).backgroundColor);
    if (colour.length === 3 || colour[3] === 1)
      return colour;
  }
  return [255, 255, 255];
};
const ownText = element => [...element.childNodes].some(node => node.nodeType === 3 && node.textContent.trim());
all("body *").filter(element => !element.closest("svg, script, noscript, datalist, option") && ownText(element) && isSeen(element))
  .forEach(element => {
    const value = contrast(parse(getComputedStyle(element).color), groundOf(element));
    if (value < 4.5)
      say(element, "contrast " + value.toFixed(2));
    if (parseFloat(getComputedStyle(element).fontSize) < 12)
      say(element, "small text, " + getComputedStyle(element).fontSize);
  });
// In charts, the background is the shape below the text, in its cell, or the card.
all("svg.chart text").filter(isSeen).forEach(text => {
  const shape = text.closest(".cell")?.querySelector("rect");
  const ground = shape ? parse(getComputedStyle(shape).fill) : groundOf(text.closest("svg").parentElement);
  const value = contrast(parse(getComputedStyle(text).fill), ground);
  if (value < 4.5)
    say(text, "contrast in a chart " + value.toFixed(2));
});
// Touch targets are large enough (WCAG 2.2: 24 pixels).
all("button, select, input, summary, nav a").filter(isSeen).forEach(control => {
  const box = control.getBoundingClientRect();
  if (box.height < 24 || box.width < 24)
    say(control, "small touch target, " + Math.round(box.width) + " by " + Math.round(box.height));
});
return problems;
