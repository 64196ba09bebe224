"use strict";
const every = SECONDS * 1000;
async function update() {
  try {
    const answer = await fetch(location.pathname, {cache: "no-store"});
    if (answer.ok) {
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const open = [...document.querySelectorAll("details")].map(one => [one.id, one.open]);
      const scrolled = [...document.querySelectorAll("details .scroll")]
        .map(one => [one.parentElement.id, one.scrollTop, one.scrollLeft]);
      document.querySelector("main").replaceWith(page.querySelector("main"));
      document.title = page.title;
      for (const [id, is] of open) {
        const one = document.getElementById(id);
        if (one) one.open = is;
      }
      for (const [id, top, left] of scrolled) {
        const one = document.querySelector(`#${CSS.escape(id)} .scroll`);
        if (one) one.scrollTo(left, top);
      }
    }
  } catch {
    // The server has ended; the page stays as it is.
  }
  setTimeout(update, every);
}
setTimeout(update, every);
