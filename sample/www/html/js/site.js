import { burnings, isLit, lightById, lights } from './lights.js';

const STRIP_SECONDS = 20;
const stillness = matchMedia('(prefers-reduced-motion: reduce)');

let running = !stillness.matches;
const now = () => performance.now() / 1000;

// Every <span data-lamp="finn"> goes on and off like the light it is named after.
function showLamps(seconds) {
  for (const lamp of document.querySelectorAll('[data-lamp]')) {
    const light = lightById(lamp.dataset.lamp);
    lamp.classList.toggle('lit', !running || isLit(light, seconds));
    lamp.classList.toggle('red', light.id === 'quay');
  }
  for (const hand of document.querySelectorAll('.strip .hand')) {
    hand.setAttribute('x', running ? seconds % STRIP_SECONDS : -1);
  }
}

// Every <span data-strip="finn"> becomes a picture of twenty seconds of that light.
function drawStrip(place) {
  const light = lightById(place.dataset.strip);
  const svg = createSvg('svg', { class: 'strip', viewBox: `0 0 ${STRIP_SECONDS} 1`, preserveAspectRatio: 'none' });
  for (const [from, to] of burnings(light, STRIP_SECONDS)) {
    svg.append(createSvg('rect', { class: 'burning', x: from, width: to - from, height: 1 }));
  }
  svg.append(createSvg('rect', { class: 'hand', x: -1, width: 0.16, height: 1 }));
  place.classList.toggle('red', light.id === 'quay');
  place.append(svg);
}

function createSvg(name, attributes) {
  const element = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

// The button that stops and starts all of them.
function setUpSwitch(button) {
  const label = () => { button.textContent = running ? 'Stop the lights' : 'Start the lights'; };
  button.addEventListener('click', () => {
    running = !running;
    label();
    showLamps(now());
  });
  label();
  button.hidden = false;
}

// "Name that light": one lamp in the dark, five names to choose from.
function setUpQuiz(quiz) {
  const lamp = quiz.querySelector('.lamp');
  const clock = quiz.querySelector('.clock');
  const answer = quiz.querySelector('.answer');
  const names = quiz.querySelector('.names');
  const next = quiz.querySelector('.next');
  let asked;
  let timer;

  function ask() {
    const others = lights.filter((light) => light !== asked);
    asked = others[Math.floor(Math.random() * others.length)];
    lamp.classList.toggle('red', asked.id === 'quay');
    answer.textContent = 'Count the flashes, then the seconds until they come again.';
    names.disabled = false;
    next.textContent = 'Show me another';

    const startedAt = now();
    clearInterval(timer);
    timer = setInterval(() => show(now() - startedAt), 50);
    show(0);
  }

  // It starts with a second of darkness, so that the first flash is not missed.
  function show(seconds) {
    lamp.classList.toggle('lit', seconds > 1 && isLit(asked, seconds - 1));
    clock.textContent = `${Math.floor(seconds)} s`;
  }

  function check(light) {
    if (light !== asked) {
      answer.textContent = `Not ${light.name}: that would be ${light.character}. Look again.`;
      return;
    }
    answer.textContent = `Yes, that is ${asked.name}: ${asked.character}.`;
    names.disabled = true;
    clearInterval(timer);
    lamp.classList.add('lit');
  }

  for (const light of lights) {
    const button = document.createElement('button');
    button.type = 'button';
    button.textContent = light.name;
    button.addEventListener('click', () => check(light));
    names.append(button);
  }
  next.addEventListener('click', ask);
  quiz.hidden = false;
}

document.querySelectorAll('[data-strip]').forEach(drawStrip);
document.querySelectorAll('.switch').forEach(setUpSwitch);
document.querySelectorAll('.quiz').forEach(setUpQuiz);
showLamps(now());
setInterval(() => { if (running) showLamps(now()); }, 50);
