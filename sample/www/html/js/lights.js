// The five lights. `lit` lists when the lamp burns, in seconds from the start of each period.
export const lights = [
  { id: 'marram', name: 'Old Marram', character: 'Fl W 5s', period: 5, lit: [[0, 0.8]] },
  { id: 'gannet', name: 'Gannet Rock', character: 'Fl(2) W 10s', period: 10, lit: [[0, 0.7], [2, 2.7]] },
  { id: 'candle', name: 'Candle Head', character: 'Oc W 8s', period: 8, lit: [[2, 8]] },
  { id: 'quay', name: 'Pilot Quay', character: 'Iso R 4s', period: 4, lit: [[0, 2]] },
  { id: 'finn', name: 'Long Finn', character: 'Fl(3) W 20s', period: 20, lit: [[0, 0.8], [3, 3.8], [6, 6.8]] },
];

export const lightById = (id) => lights.find((light) => light.id === id);

/** Does this light burn at the given time? */
export function isLit(light, seconds) {
  const moment = seconds % light.period;
  return light.lit.some(([from, to]) => moment >= from && moment < to);
}

/** Every time the light burns between 0 and `seconds`, as [from, to] pairs. */
export function burnings(light, seconds) {
  const found = [];
  for (let start = 0; start < seconds; start += light.period) {
    for (const [from, to] of light.lit) found.push([start + from, Math.min(start + to, seconds)]);
  }
  return found;
}
