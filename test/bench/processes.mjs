// What the system tells of a process. Linux only.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';

const KIB = 1024;
/** USER_HZ: what /proc counts processor time in, on every Linux. */
const TICKS_PER_SECOND = 100;

/**
 * Resident memory now, and at most since the last `forgetPeak`, in bytes.
 * @param {number} pid
 */
export function memoryOf(pid) {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const value = (/** @type {string} */ key) => Number(new RegExp(`^${key}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) * KIB;
  return { now: value('VmRSS'), peak: value('VmHWM') };
}

/** @param {number} pid */
export function forgetPeak(pid) {
  writeFileSync(`/proc/${pid}/clear_refs`, '5');
}

/**
 * Processor seconds used so far by the processes of a group together.
 * @param {number} group id of its leader
 */
export function processorSeconds(group) {
  let ticks = 0;
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const fields = statOf(name);
    if (Number(fields[2]) === group) ticks += Number(fields[11]) + Number(fields[12]);
  }
  return ticks / TICKS_PER_SECOND;
}

/** The fields behind the command's name: state, parent, group, … @param {string} pid @returns {string[]} */
function statOf(pid) {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return []; // It ended while we looked.
  }
}
