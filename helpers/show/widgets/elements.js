// @ts-check
// Elements of a page, and words for numbers: what all widgets of this project are made of.

/**
 * An element with attributes (those that start with "on" are listeners) and children; false and null are left out.
 * @param {string} tag @param {Record<string, any>} attributes @param {any[]} children
 * @returns {any}
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null) element.setAttribute(name, value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== false));
  return element;
}

/** Set a text only where it differs, so that a screen reader does not say it again. */
export function say(element, text) { if (element.textContent !== text) element.textContent = text; }

/** Disabled for the eye, the mouse and the screen reader, while the keyboard's focus stays where it is. */
export function enable(button, isEnabled) { button.setAttribute("aria-disabled", String(!isEnabled)); }

/** Send a form by Enter, which JupyterLab takes from the text fields in its cells. @param {KeyboardEvent} event */
export function sendByEnter(event) {
  const field = /** @type {HTMLInputElement} */ (event.target);
  if (event.key !== "Enter" || !field.matches("input[type=text]")) return;
  event.preventDefault();
  field.form?.requestSubmit();
}

/**
 * The number that was typed into a field, as text; undefined for anything else, and for one that is too large.
 * @param {HTMLInputElement} field @param {number} largest
 */
export function typedNumber(field, largest) {
  const text = field.value.trim().replace(",", ".");
  return text && Math.abs(Number(text)) <= largest ? text : undefined;
}

/** A name that no other element of the page has. @param {string} word */
export function unique(word) { return `tp-${word}-${Math.random().toString(36).slice(2)}`; }

/** Text in which `code` stands between backticks, as elements. @param {string} text */
export function prose(text) {
  return text.split("`").map((part, number) => (number % 2 ? h("code", {}, part) : part));
}

/** A number with its noun, such as "1,024 states". @param {number | bigint} count */
export function plural(count, noun, ending = "s") {
  return `${count.toLocaleString("en")} ${noun}${count === 1 || count === 1n ? "" : ending}`;
}
