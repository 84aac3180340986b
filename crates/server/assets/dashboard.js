// Keeps the dashboard up to date. Without it, the page shows the same numbers once.
'use strict';

const EVERY = 2000;
const PATIENCE = 10000;

const form = document.getElementById('choice');
const state = document.getElementById('state');
const pause = document.getElementById('pause');
let paused = false;
let timer = null;
let asked = 0;

function say(text) {
  // A status that is said again is read out again.
  if (state.textContent !== text) state.textContent = text;
}

function swap(page) {
  for (const fresh of page.querySelectorAll('[data-live]')) {
    const shown = document.getElementById(fresh.id);
    if (shown && shown.innerHTML !== fresh.innerHTML) shown.innerHTML = fresh.innerHTML;
  }
  document.title = page.title;
}

async function look() {
  clearTimeout(timer);
  const turn = ++asked;
  try {
    const query = new URLSearchParams(new FormData(form));
    const answer = await fetch(`/dashboard?${query}`, { signal: AbortSignal.timeout(PATIENCE) });
    if (!answer.ok) throw new Error(answer.statusText);
    const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
    // Another choice may have been made meanwhile.
    if (turn !== asked) return;
    swap(page);
    say(paused ? 'Paused' : 'Live');
  } catch {
    if (turn !== asked) return;
    say('No answer; trying again');
  }
  if (!paused && !document.hidden) timer = setTimeout(look, EVERY);
}

form.addEventListener('change', () => {
  history.replaceState(null, '', `/dashboard?${new URLSearchParams(new FormData(form))}`);
  look();
});
form.addEventListener('submit', (event) => {
  event.preventDefault();
  look();
});
pause.addEventListener('click', () => {
  paused = !paused;
  pause.textContent = paused ? 'Go on' : 'Pause';
  if (paused) {
    clearTimeout(timer);
    asked += 1;
    say('Paused');
  } else {
    look();
  }
});
document.addEventListener('visibilitychange', () => {
  if (!document.hidden && !paused) look();
});

document.getElementById('show').hidden = true;
pause.hidden = false;
look();
