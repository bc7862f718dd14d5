// Fetches the texts again every few seconds. What is being typed below them is left alone.
"use strict";
const texts = document.getElementById("texts");
let shown = null;
async function look() {
  try {
    const answer = await fetch(texts.dataset.from);
    const fresh = answer.ok ? await answer.text() : shown;
    if (fresh !== shown) {
      shown = fresh;
      texts.innerHTML = fresh;
      texts.scrollTop = texts.scrollHeight;
    }
  } catch {
    // The sandbox is away for a moment.
  }
  setTimeout(look, 2000);
}
texts.scrollTop = texts.scrollHeight;
look();
